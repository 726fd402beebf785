import type { Check } from '../check.ts'
import { wrongSince } from './wrongSince.ts'

/**
 * Where the application writes the type itself: rows that were written since the backfill ended, looked at twice. An
 * application that writes both sides in two transactions shows a difference that moves; one that stays is wrong.
 */
export const dualWriteApplication: Check = {
  name: 'dual-write-application',
  layer: 'integrity',
  seconds: 60,
  async run({ sql, rollout, table, facts }) {
    const backfilled = facts.backfilled?.id ?? null
    if (backfilled === null)
      return { verdict: 'inconclusive', value: null, limit: 0, detail: 'no backfill has ended: run it first' }
    const { query, rows, moved, stayed, shown } = await wrongSince(sql, rollout, table, backfilled)
    if (rows === 0) {
      const detail = `no row was written since the backfill ended${shown}: let the application write, then validate again`
      return { verdict: 'inconclusive', value: 0, limit: 0, detail, query }
    }
    return {
      verdict: stayed.length === 0 ? 'pass' : 'fail',
      value: stayed.length,
      limit: 0,
      discrepancies: stayed.length,
      detail: `${rows} rows were written since the backfill ended${shown}: ${stayed.length} hold another type than their legacy columns say, and ${moved} moved meanwhile`,
      sampleKeys: stayed.slice(0, 10),
      query,
    }
  },
}
