import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import type { ScanTarget } from './readRange.ts'
import type { SuspectRow } from './readRange.ts'
import { isCorrect, rereadSuspects, isSameVersion } from './suspectRow.ts'
import { recountSuspect, type ScanTally } from './scanTally.ts'

/** How often a row that keeps changing is read; it counts as wrong if it is wrong each time. */
const MAX_RECHECKS = 5
const RECHECK_DELAY_MS = 500

/**
 * Rechecks the rows that were wrong in the scan, since an application may have been between two writes of a row. A row
 * counts as wrong if the same version is still wrong a moment later, or if it is wrong at each attempt. Otherwise it counts
 * with its new type. Returns the keys of rows that stay wrong, or null if stopped on request.
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
      pending.map((suspect) => suspect.last),
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
