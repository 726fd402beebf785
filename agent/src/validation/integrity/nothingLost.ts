import type { ValidationCheck } from '../check.ts'
import { awaitSettledCounters } from '../counts/settledCounters.ts'
import { readRowCount } from '../counts/rowCountStore.ts'

/**
 * Rows now are at least the rows of the validation before, less those that PostgreSQL has counted as deleted since that
 * one began to read. Whatever takes rows away without a DELETE is found: TRUNCATE, a partition that was dropped or
 * detached, a corrupt page, surgery on the heap. Rows that were inserted may hide as many lost ones: PostgreSQL counts
 * inserts that were rolled back as well, so they prove nothing.
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
      const detail = `${rows} rows, the first count: later ones are compared with it`
      return { verdict: 'pass', value: rows, limit: null, detail }
    }
    const previousLabel = `validation ${previous.validation}`
    if (previous.counters.oid !== table.oid) {
      const detail = `the ${rows} rows cannot be compared with the ${previous.rows} of ${previousLabel}, the table is another one, made again or restored: validate again`
      return { verdict: 'inconclusive', value: rows, limit: previous.rows, detail }
    }
    const { delta, openTransaction } = await awaitSettledCounters(
      state,
      previous.counters,
      (now) => rows >= previous.rows - now.deleted,
      signal,
    )
    if (!delta.comparable) {
      const detail = `the ${rows} rows cannot be compared with the ${previous.rows} of ${previousLabel}, ${delta.reason}: validate again`
      return { verdict: 'inconclusive', value: rows, limit: previous.rows, detail }
    }
    const expectedRows = previous.rows - delta.deleted
    const missingRows = Math.max(0, expectedRows - rows)
    const missingNote =
      delta.missingPartitions.length > 0 ? `; partitions that are gone: ${delta.missingPartitions.join(', ')}` : ''
    const summary = `${rows} rows; at ${previousLabel} there were ${previous.rows}, since then ${delta.deleted} were deleted and at most ${delta.inserted} inserted${missingNote}`
    const evidence = { value: rows, limit: expectedRows, discrepancies: missingRows }
    if (missingRows === 0) return { ...evidence, verdict: 'pass', detail: summary }
    if (openTransaction !== null) {
      const detail = `${missingRows} rows are missing that ${openTransaction} may have deleted: validate again when it has ended; ${summary}`
      return { ...evidence, verdict: 'inconclusive', detail }
    }
    return {
      ...evidence,
      verdict: 'fail',
      detail: `${missingRows} rows are gone without a DELETE (TRUNCATE, a partition taken away, corruption); ${summary}. The next validation compares with this count`,
    }
  },
}
