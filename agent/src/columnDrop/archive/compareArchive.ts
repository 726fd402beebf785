import type { Sql } from '../../database/connect.ts'
import { OperationFailedError } from '../../kind/operationErrors.ts'
import { createBatchSizeController } from '../../engine/batchSizeController.ts'
import type { Key } from '../../engine/keys.ts'
import { rangeCondition } from '../../engine/keyRange.ts'
import { walkRanges, type LockWaitHooks } from '../../engine/rangeWalk.ts'
import {
  addComparisons,
  rowsAfter,
  compareRange,
  compareTail,
  EMPTY_COMPARISON,
  type ArchiveComparison,
} from './compareRange.ts'
import type { ArchiveContext } from './archiveRange.ts'

export interface ArchiveComparisonHooks {
  mayContinue(): Promise<boolean>
  retried(sqlstate: string): void
  readonly lockWaits: LockWaitHooks
  onCompared(rows: number): void
  /** Called with a condition on `t` for rows of which some differ; its parameters start at number `first`. */
  onDifference(rows: (first: number) => { condition: string; values: string[] }): Promise<void>
}

/** Compares table and archive in key order. Returns null if the operation was asked to stop. */
export async function compareArchive(
  sql: Sql,
  context: ArchiveContext,
  hooks: ArchiveComparisonHooks,
): Promise<ArchiveComparison | null> {
  let total = EMPTY_COMPARISON
  let last: Key | null = null
  const finished = await walkRanges({
    sql,
    target: context.walked,
    from: null,
    to: null,
    sizeController: createBatchSizeController(10_000, 200_000, 0.25),
    mayContinue: () => hooks.mayContinue(),
    onRetry: (sqlstate) => hooks.retried(sqlstate),
    lockWaits: hooks.lockWaits,
    async processCountedRange(range) {
      const comparison = await compareRange(sql, context, range)
      if (comparison.differing > 0) await hooks.onDifference((first) => rangeCondition(context.walked, range, first))
      total = addComparisons(total, comparison)
      last = range.high
      hooks.onCompared(comparison.rows)
    },
    handlePoisonRow({ range, sqlstate, message }) {
      const sentence = `Row ${range.high.join(', ')} cannot be compared: ${message} (${sqlstate}).`
      return Promise.reject(new OperationFailedError('archive', sentence))
    },
  })
  if (!finished) return null
  const tail = await compareTail(sql, context, last)
  if (tail.differing > 0) await hooks.onDifference((first) => rowsAfter(context, last, first))
  return addComparisons(total, tail)
}
