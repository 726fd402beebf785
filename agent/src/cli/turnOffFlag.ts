import { randomUUID } from 'node:crypto'
import type { Operation } from '../contract/index.ts'
import { AgentUnreachableError, type OperationInput } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'
import { exitCodeOfOperation, waitForOperation, type RunOptions } from './runOperation.ts'
import { openCommandTarget, type CommonOptions } from './commandSetup.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'
import type { Output, Terminal } from './terminal.ts'

/** Opens the environment whose flag is turned off. If no agent responds, the error says what applies and what to do. */
export async function openTargetToTurnOff(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; output: Output }> {
  try {
    return await openCommandTarget(terminal, options)
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error
    throw new CliError(error.exitCode, error.code, error.message, [
      'Without an agent, flag clients use the default of their code, which must be off.',
      'To keep the flag off when the agent is back, run the statement in alerts/RUNBOOK.md, "Emergency: turn the flag off".',
    ])
  }
}

/**
 * Turns the flag off. An agent whose database is unavailable responds with `persisted: false`, and other agents cannot
 * learn of the change. The request then goes to every configured agent of the environment.
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
      output.line(
        `The agent at ${agent.url} serves the flag as off from memory. The change is not yet in the database.`,
      )
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
    `The flag is off at ${inMemory.length} of ${target.agents.length} agents. The others may still serve it as on. Run the command again.`,
    failures.map((error) => error.message),
  )
}
