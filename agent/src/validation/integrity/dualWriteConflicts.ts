import { readConflictCounts, pruneConflicts } from '../../dualWrite/conflictCounts.ts'
import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { readLatestCheckValue } from '../store.ts'

/**
 * Writes whose legacy columns and type contradict each other. They are refused or resolved, so no row is wrong, but the
 * code that issues them is faulty. The check fails on conflicts since the previous validation.
 */
export const dualWriteConflicts: ValidationCheck = {
  name: 'dual-write-conflicts',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout }) {
    const { state } = run.database
    const counted = await readConflictCounts(state, rollout)
    if (counted === null)
      return { verdict: 'pass', value: 0, limit: 0, detail: 'conflicts are not possible before finalize' }
    const value = counted.refused + counted.legacy + counted.type
    const previousValue = (await readLatestCheckValue(state, rollout.name, 'dual-write-conflicts')) ?? 0
    // Recreated counters start at 0.
    const limit = previousValue > value ? 0 : previousValue
    const sampleKeys = await pruneConflicts(state, rollout)
    return {
      verdict: value <= limit ? 'pass' : 'fail',
      value,
      limit,
      detail:
        `${formatQuantity(value - limit, 'new conflict')} since the previous validation (limit 0); in total ${formatCount(counted.refused)} refused, ` +
        `${formatCount(counted.legacy)} resolved by the legacy columns, ${formatCount(counted.type)} by the type`,
      sampleKeys: value > limit ? sampleKeys : [],
      query: 'select * from sti.conflict order by id desc',
    }
  },
}
