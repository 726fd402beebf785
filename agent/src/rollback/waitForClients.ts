import { setTimeout as delay } from 'node:timers/promises'
import { describeStaleClients } from '../contract/index.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'

/** How long a rollback waits at least until every client has received the flag off. */
const CLIENT_TIMEOUT_SECONDS = 60

/** With the flag off, clients that may still read by type block a data rollback. */
export function staleClientRefusals({ flag }: RolloutFacts): string[] {
  if (flag.enabled) return []
  const stale = describeStaleClients(flag)
  return stale === null ? [] : [stale]
}

/** Turns the flag off and waits until every client has received the change. False: stopped on request. */
export async function turnFlagOffAndWait(run: RunContext): Promise<boolean> {
  const factsBefore = await run.readFacts()
  await run.failpoint('rollback.begun')
  if (factsBefore.flag.enabled) await run.turnFlagOff(`rollback ${run.operation.id} of the data`)
  await run.failpoint('rollback.flag-off')
  run.setStep('waiting until every client has received that the flag is off')
  // Requests that began with the flag on end by then.
  const longestRequest = factsBefore.flag.longestRequestSeconds
  const deadline = Date.now() + (CLIENT_TIMEOUT_SECONDS + longestRequest) * 1000
  for (;;) {
    if (run.directive() !== 'continue') return false
    const { flag } = await run.readFacts()
    if (flag.persisted && !flag.enabled && flag.consistent) return true
    if (Date.now() > deadline) {
      const stale = describeStaleClients(flag)
      throw new OperationFailedError(
        'stale-clients',
        stale !== null
          ? `The flag is off. ${stale} Then roll back again.`
          : 'The flag is off in memory only because the database has not confirmed it. Check the database, then roll back again.',
      )
    }
    await delay(500)
  }
}
