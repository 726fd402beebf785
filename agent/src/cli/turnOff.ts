import { randomUUID } from 'node:crypto'
import type { Operation } from '../contract/index.ts'
import { AgentAway, type OperationInput } from './client.ts'
import { CliError, Exit } from './exit.ts'
import { exitOf, waitFor, type RunOptions } from './runOperation.ts'
import { openTarget, type CommonOptions } from './session.ts'
import type { Target } from './target.ts'
import type { Output, Terminal } from './terminal.ts'

/** The environment whose flag is to go off; without any agent it says what holds then, and what is to be done. */
export async function openToTurnOff(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: Target; output: Output }> {
  try {
    return await openTarget(terminal, options)
  } catch (error) {
    if (!(error instanceof AgentAway)) throw error
    throw new CliError(error.exit, error.code, error.message, [
      'Whoever asks an agent that is gone goes by the default of its own code, which must be off.',
      'So that the flag is off when the agent is back: the statement in alerts/RUNBOOK.md, "Breaking the glass".',
    ])
  }
}

/**
 * Turns the flag off. An agent whose database is away answers `persisted: false`: it alone knows. Then the request
 * goes to every configured agent of the environment, because nothing else would tell them.
 */
export async function turnOff(
  target: Target,
  rollout: string,
  request: OperationInput,
  output: Output,
  options: RunOptions,
): Promise<Exit> {
  const key = randomUUID()
  const inMemory: Operation[] = []
  const missed: CliError[] = []
  for (const agent of target.agents) {
    try {
      const operation = await agent.start(rollout, request, key)
      if (operation.persisted) return exitOf(await waitFor(target, operation, output, options), options.detach)
      output.line(`The agent at ${agent.url} serves the flag off from memory; its database does not know yet.`)
      output.value(operation)
      inMemory.push(operation)
    } catch (error) {
      if (!(error instanceof CliError) || error.exit !== Exit.failed) throw error
      missed.push(error)
    }
  }
  if (missed.length === 0) return Exit.done
  const [first] = missed
  if (inMemory.length === 0 && missed.length === 1 && first) throw first
  throw new CliError(
    Exit.failed,
    'not-everywhere',
    `The flag is off at ${inMemory.length} of ${target.agents.length} agents; the others may still answer on: send it again.`,
    missed.map((error) => error.message),
  )
}
