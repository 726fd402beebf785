import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import type { ScanTarget } from './readRange.ts'
import { isCorrect, rereadSuspects, isSameVersion, type SuspectRow } from './suspectRow.ts'
import { recountSuspect, type ScanTally } from './scanTally.ts'

/** How often a row that moves between the looks is looked at; wrong at each of them, it counts as wrong. */
const MAX_RECHECKS = 5
const RECHECK_DELAY_MS = 500

/**
 * Looks again at the rows that were wrong when they were read. Somebody may have been between two writes of them: a row
 * counts as wrong when the same version of it still is a moment later, or when it is at every look. What has become
 * right meanwhile is counted as that. Answers the keys of those that stay wrong; null when it was asked to stop.
 */
export async function recheckSuspects(
  sql: Sql,
  target: ScanTarget,
  tally: ScanTally,
  mayContinue: () => Promise<boolean>,
): Promise<SuspectRow[] | null> {
  const discrepancies: SuspectRow[] = []
  let pending = tally.suspects.map((found) => ({ found, last: found }))
  for (let attempt = 1; attempt <= MAX_RECHECKS && pending.length > 0; attempt++) {
    await delay(RECHECK_DELAY_MS)
    if (!(await mayContinue())) return null
    const currentRows = await rereadSuspects(
      sql,
      target,
      pending.map((one) => one.last),
    )
    pending = pending.flatMap(({ found, last }, i) => {
      const now = currentRows[i] ?? null
      if (now === null || isCorrect(target, now)) {
        recountSuspect(tally, found, now)
        return []
      }
      if (isSameVersion(last, now) || attempt === MAX_RECHECKS) {
        recountSuspect(tally, found, now)
        discrepancies.push({ ...now, key: found.key })
        return []
      }
      return [{ found, last: { ...now, key: found.key } }]
    })
  }
  return discrepancies
}
