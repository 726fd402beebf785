import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitSettledCounters } from '../counts/settledCounters.ts'
import { readRowCount } from '../counts/rowCountStore.ts'

/**
 * The table has at least as many rows as in the previous validation minus the deletes that PostgreSQL has counted since.
 * Finds every loss without a DELETE: TRUNCATE, dropped or detached partitions, corrupt pages. Inserted rows can hide as
 * many lost rows, since PostgreSQL also counts inserts that were rolled back.
 */
export const nothingLost: ValidationCheck = {
  name: 'nothing-lost',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  seconds: 90,
  async run({ scan, run, rollout, table, signal }) {
    const { state } = run.database
    const previous = await readRowCount(state, rollout.name)
    const { rows } = scan()
    if (previous === null) {
      const detail = `${formatQuantity(rows, 'row')}: first count, which later validations are compared with`
      return { verdict: 'pass', value: rows, limit: null, detail }
    }
    const previousLabel = `validation ${previous.validation}`
    if (previous.counters.oid !== table.oid) {
      const detail = `${formatQuantity(rows, 'row')} cannot be compared with ${formatCount(previous.rows)} in ${previousLabel} because the table was recreated or restored: validate again`
      return { verdict: 'inconclusive', value: rows, limit: previous.rows, detail }
    }
    const { delta, openTransaction } = await awaitSettledCounters(
      state,
      previous.counters,
      (now) => rows >= previous.rows - now.deleted,
      signal,
    )
    if (!delta.comparable) {
      const detail = `${formatQuantity(rows, 'row')} cannot be compared with ${formatCount(previous.rows)} in ${previousLabel} because ${delta.reason}: validate again`
      return { verdict: 'inconclusive', value: rows, limit: previous.rows, detail }
    }
    const expectedRows = previous.rows - delta.deleted
    const missingRows = Math.max(0, expectedRows - rows)
    const missingNote =
      delta.missingPartitions.length > 0 ? `; missing partitions: ${delta.missingPartitions.join(', ')}` : ''
    const summary = `${formatQuantity(rows, 'row')} (at least ${formatCount(expectedRows)}); ${formatCount(previous.rows)} in ${previousLabel}, then ${formatCount(delta.deleted)} deleted and at most ${formatCount(delta.inserted)} inserted${missingNote}`
    const evidence = { value: rows, limit: expectedRows, discrepancies: missingRows }
    if (missingRows === 0) return { ...evidence, verdict: 'pass', detail: summary }
    if (openTransaction !== null) {
      const detail = `${formatQuantity(missingRows, 'missing row')}, possibly deleted by ${openTransaction}: validate again after it has ended; ${summary}`
      return { ...evidence, verdict: 'inconclusive', detail }
    }
    return {
      ...evidence,
      verdict: 'fail',
      detail: `${formatQuantity(missingRows, 'row')} disappeared without a DELETE (TRUNCATE, removed partition, or corruption); ${summary}. The next validation compares with this count`,
    }
  },
}
