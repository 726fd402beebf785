import { setTimeout as delay } from 'node:timers/promises'
import { OperationFailure } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Run } from '../engine/kind.ts'

/** How long the clients of the flag get to see it off. */
const CLIENTS_SECONDS = 60

/** With the flag off, clients that may still read by type refuse the rollback of the data. */
export function staleClients({ flag }: Facts): string[] {
  if (flag.enabled) return []
  const stale = namesOf(flag)
  return stale === ''
    ? []
    : [
        `These clients may still read by type: ${stale}. Wait until they have asked for the flag, or accept each by name.`,
      ]
}

/** Turns the flag off and waits for its clients; false when it was asked to stop. */
export async function flagSeenOff(run: Run): Promise<boolean> {
  const before = await run.facts()
  await run.reached('rollback.begun')
  if (before.flag.enabled) await run.turnFlagOff(`rollback ${run.operation.id} of the data`)
  await run.reached('rollback.flag-off')
  run.step('waiting until every client has seen the flag off')
  const until = Date.now() + CLIENTS_SECONDS * 1000
  for (;;) {
    if (run.asked() !== 'go-on') return false
    const { flag } = await run.facts()
    if (flag.persisted && !flag.enabled && flag.consistent) return true
    if (Date.now() > until) {
      const stale = namesOf(flag)
      throw new OperationFailure(
        'stale-clients',
        stale !== ''
          ? `The flag is off, but these clients have not asked for it since: ${stale}. Stop them or accept each by name, then roll back again.`
          : 'The flag is off in memory only, the database has not confirmed it: look at its health, then roll back again.',
      )
    }
    await delay(500)
  }
}

function namesOf(flag: Facts['flag']): string {
  return flag.clients
    .filter((client) => client.stale)
    .map((client) => client.client)
    .join(', ')
}
