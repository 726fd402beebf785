import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import type { Reading } from './reading.ts'
import { isRight, lookAgain, sameVersion, type Suspect } from './suspect.ts'
import { recount, type Tally } from './tally.ts'

/** How often a row that moves between the looks is looked at; wrong at each of them, it counts as wrong. */
const LOOKS = 5
const PAUSE_MS = 500

/**
 * Looks again at the rows that were wrong when they were read. Somebody may have been between two writes of them: a row
 * counts as wrong when the same version of it still is a moment later, or when it is at every look. What has become
 * right meanwhile is counted as that. Answers the keys of those that stay wrong; null when it was asked to stop.
 */
export async function settle(
  sql: Sql,
  reading: Reading,
  tally: Tally,
  goOn: () => Promise<boolean>,
): Promise<Suspect[] | null> {
  const wrong: Suspect[] = []
  let open = tally.suspects.map((found) => ({ found, last: found }))
  for (let look = 1; look <= LOOKS && open.length > 0; look++) {
    await delay(PAUSE_MS)
    if (!(await goOn())) return null
    const seen = await lookAgain(
      sql,
      reading,
      open.map((one) => one.last),
    )
    open = open.flatMap(({ found, last }, i) => {
      const now = seen[i] ?? null
      if (now === null || isRight(reading, now)) {
        recount(tally, found, now)
        return []
      }
      if (sameVersion(last, now) || look === LOOKS) {
        recount(tally, found, now)
        wrong.push({ ...now, key: found.key })
        return []
      }
      return [{ found, last: { ...now, key: found.key } }]
    })
  }
  return wrong
}
