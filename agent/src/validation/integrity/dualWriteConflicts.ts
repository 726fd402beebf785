import { readConflictCounts, pruneConflicts } from '../../dualWrite/conflictCounts.ts'
import type { ValidationCheck } from '../check.ts'
import { readLatestCheckValue } from '../store.ts'

/**
 * Writes of legacy columns and a type that disagree. They are refused or resolved, so no row is wrong; but whoever
 * writes so has a fault, and one that has come up since the validation before is to be looked at.
 */
export const dualWriteConflicts: ValidationCheck = {
  name: 'dual-write-conflicts',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout }) {
    const { state } = run.database
    const counted = await readConflictCounts(state, rollout)
    if (counted === null) return { verdict: 'pass', value: 0, limit: 0, detail: 'none is possible before finalize' }
    const value = counted.refused + counted.legacy + counted.type
    const previousValue = (await readLatestCheckValue(state, rollout.name, 'dual-write-conflicts')) ?? 0
    // Counters that were made anew begin at 0.
    const limit = previousValue > value ? 0 : previousValue
    const sampleKeys = await pruneConflicts(state, rollout)
    return {
      verdict: value <= limit ? 'pass' : 'fail',
      value,
      limit,
      detail:
        `${value - limit} since the validation before; in all ${counted.refused} refused, ` +
        `${counted.legacy} resolved by the legacy columns, ${counted.type} by the type`,
      sampleKeys: value > limit ? sampleKeys : [],
      query: 'select * from sti.conflict order by id desc',
    }
  },
}
