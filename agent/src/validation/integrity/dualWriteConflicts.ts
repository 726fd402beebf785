import { areCorrectedWritesAccepted, CONFLICTS_CHECK } from '../../dualWrite/correctedWrites.ts'
import { pruneConflicts, readConflictCounts } from '../../dualWrite/conflictCounts.ts'
import { collectNodeConflicts } from '../../dualWrite/nodeConflicts.ts'
import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { readLatestCheckValue } from '../store.ts'

/**
 * Writes whose legacy columns and type contradict each other. They are corrected, refused or resolved, so no row is wrong,
 * but the code that issues them is faulty. The check fails on conflicts since the previous validation, unless an admin has
 * accepted every statement that caused them before finalize.
 */
export const dualWriteConflicts: ValidationCheck = {
  name: CONFLICTS_CHECK,
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout, table }) {
    const { state } = run.database
    const unread = await collectNodeConflicts(state, rollout, table)
    const counted = await readConflictCounts(state, rollout)
    if (counted === null)
      return { verdict: 'pass', value: 0, limit: 0, detail: 'conflicts are not possible before expand' }
    const { corrected = 0, refused = 0, legacy = 0, type = 0 } = counted
    const value = corrected + refused + legacy + type
    const previous = await readLatestCheckValue(state, rollout.name, CONFLICTS_CHECK)
    const previousValue = previous?.value ?? 0
    // Recreated counters start at 0.
    const limit = previousValue > value ? 0 : previousValue
    const sampleKeys = await pruneConflicts(state, rollout)
    const { acceptances, correctedWrites } = await run.readFacts()
    // Within the soak time, a statement that was stored before stands for the same one since: one is stored in a minute.
    const accepted =
      value > limit &&
      value === corrected &&
      (correctedWrites?.open.length === 0 ||
        (await areCorrectedWritesAccepted(state, rollout, acceptances, previous?.startedAt ?? null)))
    return {
      verdict: value > limit && !accepted ? 'fail' : unread.length > 0 ? 'inconclusive' : 'pass',
      value,
      limit: accepted ? value : limit,
      detail:
        `${formatQuantity(value - limit, 'new conflict')} since the previous validation (limit 0${accepted ? '; an admin accepted each statement' : ''}); in total ` +
        `${formatCount(corrected)} corrected before finalize, ${formatCount(refused)} refused, ${formatCount(legacy)} resolved by the legacy columns, ${formatCount(type)} by the type${unread.map(({ node, reason }) => `; the conflicts of node ${node} are unknown (${reason})`).join('')}`,
      sampleKeys: value > limit ? sampleKeys : [],
      query: 'select * from sti.conflict order by id desc',
    }
  },
}
