import type { ValidationCheck } from '../check.ts'
import { findDiscrepanciesSince } from './discrepanciesSince.ts'

/**
 * Where the application writes the type itself: rows that were written since the backfill ended, looked at twice. An
 * application that writes both sides in two transactions shows a difference that moves; one that stays is wrong.
 */
export const dualWriteApplication: ValidationCheck = {
  name: 'dual-write-application',
  layer: 'integrity',
  unit: 'count',
  seconds: 60,
  async run({ sql, rollout, table, facts }) {
    const backfilled = facts.lastSucceededBackfill?.id ?? null
    if (backfilled === null)
      return { verdict: 'inconclusive', value: null, limit: 0, detail: 'no backfill has ended: run it first' }
    const { query, writtenRows, rewritten, persistent, sampleNote } = await findDiscrepanciesSince(
      sql,
      rollout,
      table,
      backfilled,
    )
    if (writtenRows === 0) {
      const detail = `no row was written since the backfill ended${sampleNote}: let the application write, then validate again`
      return { verdict: 'inconclusive', value: 0, limit: 0, detail, query }
    }
    return {
      verdict: persistent.length === 0 ? 'pass' : 'fail',
      value: persistent.length,
      limit: 0,
      discrepancies: persistent.length,
      detail: `${writtenRows} rows were written since the backfill ended${sampleNote}: ${persistent.length} hold another type than their legacy columns say, and ${rewritten} moved meanwhile`,
      sampleKeys: persistent.slice(0, 10),
      query,
    }
  },
}
