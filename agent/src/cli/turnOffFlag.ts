import { randomUUID } from 'node:crypto'
import type { Operation } from '../contract/index.ts'
import { AgentUnreachableError, type OperationInput } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'
import { exitCodeOfOperation, waitForOperation, type RunOptions } from './runOperation.ts'
import { openCommandTarget, type CommonOptions } from './commandSetup.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'
import type { Output, Terminal } from './terminal.ts'

/** The environment whose flag is to go off; without any agent it says what holds then, and what is to be done. */
export async function openTargetToTurnOff(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; output: Output }> {
  try {
    return await openCommandTarget(terminal, options)
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error
    throw new CliError(error.exitCode, error.code, error.message, [
      'Whoever asks an agent that is gone goes by the default of its own code, which must be off.',
      'So that the flag is off when the agent is back: the statement in alerts/RUNBOOK.md, "Breaking the glass".',
    ])
  }
}

/**
 * Turns the flag off. An agent whose database is away answers `persisted: false`: it alone knows. Then the request
 * goes to every configured agent of the environment, because nothing else would tell them.
 */
export async function turnOffFlag(
  target: EnvironmentTarget,
  rollout: string,
  request: OperationInput,
  output: Output,
  options: RunOptions,
): Promise<ExitCode> {
  const key = randomUUID()
  const inMemory: Operation[] = []
  const failures: CliError[] = []
  for (const agent of target.agents) {
    try {
      const operation = await agent.start(rollout, request, key)
      if (operation.persisted)
        return exitCodeOfOperation(await waitForOperation(target, operation, output, options), options.detach)
      output.line(`The agent at ${agent.url} serves the flag off from memory; its database does not know yet.`)
      output.value(operation)
      inMemory.push(operation)
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== ExitCode.failed) throw error
      failures.push(error)
    }
  }
  if (failures.length === 0) return ExitCode.done
  const [first] = failures
  if (inMemory.length === 0 && failures.length === 1 && first) throw first
  throw new CliError(
    ExitCode.failed,
    'not-everywhere',
    `The flag is off at ${inMemory.length} of ${target.agents.length} agents; the others may still answer on: send it again.`,
    failures.map((error) => error.message),
  )
}
