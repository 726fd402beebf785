import { setTimeout as delay } from 'node:timers/promises'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'

/** How long a rollback waits until every client has received the flag off. */
const CLIENT_TIMEOUT_SECONDS = 60

/** With the flag off, clients that may still read by type block a data rollback. */
export function staleClientRefusals({ flag }: RolloutFacts): string[] {
  if (flag.enabled) return []
  const stale = staleClientNames(flag)
  return stale === ''
    ? []
    : [`These clients may still read by type: ${stale}. Wait until they have polled the flag, or accept each by name.`]
}

/** Turns the flag off and waits until every client has received the change. False: stopped on request. */
export async function turnFlagOffAndWait(run: RunContext): Promise<boolean> {
  const factsBefore = await run.readFacts()
  await run.failpoint('rollback.begun')
  if (factsBefore.flag.enabled) await run.turnFlagOff(`rollback ${run.operation.id} of the data`)
  await run.failpoint('rollback.flag-off')
  run.setStep('waiting until every client has received that the flag is off')
  const deadline = Date.now() + CLIENT_TIMEOUT_SECONDS * 1000
  for (;;) {
    if (run.directive() !== 'continue') return false
    const { flag } = await run.readFacts()
    if (flag.persisted && !flag.enabled && flag.consistent) return true
    if (Date.now() > deadline) {
      const stale = staleClientNames(flag)
      throw new OperationFailedError(
        'stale-clients',
        stale !== ''
          ? `The flag is off, but these clients have not polled it since: ${stale}. Stop them or accept each by name, then roll back again.`
          : 'The flag is off in memory only because the database has not confirmed it. Check the database, then roll back again.',
      )
    }
    await delay(500)
  }
}

function staleClientNames(flag: RolloutFacts['flag']): string {
  return flag.clients
    .filter((client) => client.stale)
    .map((client) => client.client)
    .join(', ')
}
