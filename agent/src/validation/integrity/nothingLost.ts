import type { Check } from '../check.ts'
import { settledCounters } from '../counts/settled.ts'
import { readRowCount } from '../counts/store.ts'

/**
 * Rows now are at least the rows of the validation before, less those that PostgreSQL has counted as deleted since that
 * one began to read. Whatever takes rows away without a DELETE is found: TRUNCATE, a partition that was dropped or
 * detached, a corrupt page, surgery on the heap. Rows that were inserted may hide as many lost ones: PostgreSQL counts
 * inserts that were rolled back as well, so they prove nothing.
 */
export const nothingLost: Check = {
  name: 'nothing-lost',
  layer: 'integrity',
  needsScan: true,
  seconds: 90,
  async run({ scan, run, rollout, table, signal }) {
    const { state } = run.database
    const then = await readRowCount(state, rollout.name)
    const { rows } = scan()
    if (then === null) {
      const detail = `${rows} rows, the first count: later ones are compared with it`
      return { verdict: 'pass', value: rows, limit: null, detail }
    }
    const before = `validation ${then.validation}`
    if (then.counters.oid !== table.oid) {
      const detail = `the ${rows} rows cannot be compared with the ${then.rows} of ${before}, the table is another one, made again or restored: validate again`
      return { verdict: 'inconclusive', value: rows, limit: then.rows, detail }
    }
    const { compared, open } = await settledCounters(
      state,
      then.counters,
      (now) => rows >= then.rows - now.deleted,
      signal,
    )
    if (!compared.comparable) {
      const detail = `the ${rows} rows cannot be compared with the ${then.rows} of ${before}, ${compared.why}: validate again`
      return { verdict: 'inconclusive', value: rows, limit: then.rows, detail }
    }
    const least = then.rows - compared.deleted
    const lost = Math.max(0, least - rows)
    const gone = compared.gone.length > 0 ? `; partitions that are gone: ${compared.gone.join(', ')}` : ''
    const numbers = `${rows} rows; at ${before} there were ${then.rows}, since then ${compared.deleted} were deleted and at most ${compared.inserted} inserted${gone}`
    const found = { value: rows, limit: least, discrepancies: lost }
    if (lost === 0) return { ...found, verdict: 'pass', detail: numbers }
    if (open !== null) {
      const detail = `${lost} rows are missing that ${open} may have deleted: validate again when it has ended; ${numbers}`
      return { ...found, verdict: 'inconclusive', detail }
    }
    return {
      ...found,
      verdict: 'fail',
      detail: `${lost} rows are gone without a DELETE (TRUNCATE, a partition taken away, corruption); ${numbers}. The next validation compares with this count`,
    }
  },
}
