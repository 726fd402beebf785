import type { Database } from '../database/connect.ts'
import { codeOf, faultOf, isAway, messageOf } from '../engine/errors.ts'
import type { Kind } from '../engine/kind.ts'
import type { Log } from '../log.ts'
import type { StartedRun } from './run.ts'
import { leaveSeat, type Seat } from './seat.ts'

/** After a failure that is not of the moment: whoever holds the operation meets it as well, and says so. */
const NO_HELP_SECONDS = 60

/** Helps until there is nothing left to take, and leaves the seat. Never rejects: the operation is its holder's. */
export async function helpWith(
  seat: Seat,
  run: StartedRun,
  kind: Kind,
  { database, log, agent }: { readonly database: Database; readonly log: Log; readonly agent: string },
): Promise<void> {
  let after = 0
  try {
    await kind.help!(run)
  } catch (error) {
    const code = codeOf(error)
    const passes = isAway(error) || faultOf(error) === 'retry' || code === 'fence-lost' || code === 'stopped'
    if (!passes) after = NO_HELP_SECONDS
    log({
      level: passes ? 'info' : 'warning',
      message: `${agent} helps no more with operation ${seat.row.id}: ${messageOf(error)}`,
      code,
    })
  }
  run.end()
  await leaveSeat(database.state, seat, after).catch((error: unknown) =>
    log({
      level: 'warning',
      message: `seat ${seat.number} of operation ${seat.row.id} is left to its lease`,
      error: messageOf(error),
    }),
  )
}
