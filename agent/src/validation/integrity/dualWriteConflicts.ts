import { countConflicts, pruneConflicts } from '../../dualWrite/conflicts.ts'
import type { Check } from '../check.ts'
import { lastValueOf } from '../store.ts'

/**
 * Writes of legacy columns and a type that disagree. They are refused or resolved, so no row is wrong; but whoever
 * writes so has a fault, and one that has come up since the validation before is to be looked at.
 */
export const dualWriteConflicts: Check = {
  name: 'dual-write-conflicts',
  layer: 'integrity',
  async run({ run, rollout }) {
    const { state } = run.database
    const counted = await countConflicts(state, rollout)
    if (counted === null) return { verdict: 'pass', value: 0, limit: 0, detail: 'none is possible before finalize' }
    const value = counted.refused + counted.legacy + counted.type
    const before = (await lastValueOf(state, rollout.name, 'dual-write-conflicts')) ?? 0
    // Counters that were made anew begin at 0.
    const limit = before > value ? 0 : before
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
