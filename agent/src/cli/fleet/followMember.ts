import { setTimeout as delay } from 'node:timers/promises'
import { isEnded, type Operation } from '../../contract/index.ts'
import type { EnvironmentTarget } from '../environmentTarget.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { requestAnyAgent } from '../followOperation.ts'
import type { Member } from './waves.ts'

const POLL_INTERVAL_MS = 500

export interface FleetProgress {
  report(member: Member, text: string, operation?: Operation): void
  note(text: string): void
}

/** A member that did not arrive, and why. */
export interface FleetFailure {
  readonly member: string
  readonly sentences: readonly string[]
}

export const memberError = (message: string, reasons: readonly string[] = []): CliError =>
  new CliError(ExitCode.failed, 'member-failed', message, reasons)

/**
 * Waits for the end of an operation of a member, and reports it.
 *
 * @throws CliError: it did not succeed, it is paused and waits for a person, or no agent answered for two minutes
 */
export async function followToSuccess(
  { agents }: EnvironmentTarget,
  member: Member,
  started: Operation,
  report: FleetProgress['report'],
): Promise<Operation> {
  let operation = started
  for (; !isEnded(operation.state) && operation.state !== 'paused'; await delay(POLL_INTERVAL_MS))
    operation = await requestAnyAgent(agents, (agent) => agent.operation(started.id), {
      line: (text) => report(member, text),
      stop: () => false,
      advice: `Operation ${started.id} may still be running.`,
    })
  const { kind, id, state, error } = operation
  report(member, `${kind} ${id} ${state}`, operation)
  if (state !== 'succeeded') throw memberError(`${kind} ${id} is ${state}: ${error ?? 'no message'}`)
  return operation
}
