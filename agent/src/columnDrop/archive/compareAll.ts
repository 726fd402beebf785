import type { Sql } from '../../database/connect.ts'
import { OperationFailure } from '../../engine/errors.ts'
import { createFeedback } from '../../engine/feedback.ts'
import type { Key } from '../../engine/keys.ts'
import { inRange } from '../../engine/range.ts'
import { walk } from '../../engine/walk.ts'
import { added, after, compareRange, compareRest, NOTHING_COMPARED, type Comparison } from './compare.ts'
import type { Archiving } from './copy.ts'

export interface Comparing {
  goOn(): Promise<boolean>
  retried(sqlstate: string): void
  passed(rows: number): void
  /** Rows on `t`, with parameters from `first` on, among which some differ. */
  differs(rows: (first: number) => { condition: string; values: string[] }): Promise<void>
}

/** Compares table and archive along the key. Null: asked to stop. */
export async function compareAll(sql: Sql, of: Archiving, comparing: Comparing): Promise<Comparison | null> {
  let seen = NOTHING_COMPARED
  let last: Key | null = null
  const finished = await walk({
    sql,
    walked: of.walked,
    from: null,
    to: null,
    feedback: createFeedback(10_000, 200_000, 0.25),
    goOn: () => comparing.goOn(),
    retried: (sqlstate) => comparing.retried(sqlstate),
    async work(range) {
      const found = await compareRange(sql, of, range)
      if (found.differing > 0) await comparing.differs((first) => inRange(of.walked, range, first))
      seen = added(seen, found)
      last = range.high
      comparing.passed(found.rows)
    },
    poison({ range, sqlstate, message }) {
      const sentence = `Row ${range.high.join(', ')} cannot be compared: ${message} (${sqlstate}).`
      return Promise.reject(new OperationFailure('archive', sentence))
    },
  })
  if (!finished) return null
  const rest = await compareRest(sql, of, last)
  if (rest.differing > 0) await comparing.differs((first) => after(of, last, first))
  return added(seen, rest)
}
