import { formatCount, formatQuantity } from '../../format/format.ts'
import { isTableEmpty } from '../../dualWrite/emptyTableCanary.ts'
import type { ValidationCheck } from '../check.ts'
import { findDiscrepanciesSince } from './discrepanciesSince.ts'

/**
 * For applications that write the type themselves: checks the rows written since the backfill, reading them twice. If the
 * application writes both sides in two transactions, a mismatch is temporary; one that persists is a fault.
 */
export const dualWriteApplication: ValidationCheck = {
  name: 'dual-write-application',
  layer: 'integrity',
  unit: 'count',
  seconds: 60,
  async run({ sql, rollout, table, facts }) {
    const backfilled = facts.lastSucceededBackfill?.id ?? null
    if (backfilled === null)
      return { verdict: 'inconclusive', value: null, limit: 0, detail: 'no backfill has completed: run it first' }
    const { query, writtenRows, rewritten, persistent, sampleNote } = await findDiscrepanciesSince(
      sql,
      rollout,
      table,
      backfilled,
    )
    if (writtenRows === 0 && (await isTableEmpty(sql, rollout)))
      return { verdict: 'pass', value: 0, limit: 0, detail: 'the table is empty, so no row was written wrong', query }
    if (writtenRows === 0) {
      const detail = `no rows were written since the backfill ended${sampleNote}: let the application write, then validate again`
      return { verdict: 'inconclusive', value: 0, limit: 0, detail, query }
    }
    return {
      verdict: persistent.length === 0 ? 'pass' : 'fail',
      value: persistent.length,
      limit: 0,
      discrepancies: persistent.length,
      detail: `${formatCount(persistent.length)} of ${formatQuantity(writtenRows, 'row')} written since the backfill ended${sampleNote} have a type that does not match their legacy columns (limit 0); ${formatCount(rewritten)} changed during the check`,
      sampleKeys: persistent.slice(0, 10),
      query,
    }
  },
}
