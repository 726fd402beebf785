import { healthyFinding, unhealthyFinding, unknownFinding, type ConditionFinding } from './conditionFinding.ts'
import { flagChange, MAX_STATE_AGE_MS, type ConditionInput, type DatabaseState } from './conditionInput.ts'

/** The check of a validation that counts rows whose type is not what their legacy columns say. */
const TYPE_CHECK = 'type-matches-legacy'
/** How long a client may be stale: one that is silent for so long counts as stale by itself. */
const MAX_INCONSISTENT_MS = 60_000

/** What the database last said, as long as that is of now. */
function freshState({ state, now }: ConditionInput): DatabaseState | string {
  if (state === null) return 'The database has not been read since the agent started.'
  if (now - state.readAt <= MAX_STATE_AGE_MS) return state
  return `The database was last read ${Math.round((now - state.readAt) / 1_000)} s ago.`
}

/** Whether the last validation has found rows of a wrong type, once all of them were written. Null: they were not yet. */
export function discrepancyCondition(input: ConditionInput): ConditionFinding | null {
  const subject = { rule: 'StiDiscrepancyAfterCoverage', change: flagChange(input.flag) } as const
  const state = freshState(input)
  if (typeof state === 'string') return unknownFinding(subject, state)
  if (!state.covered) return null
  const { validation, lastWriteEndedAt, failedSince } = state
  if (validation === null) return unknownFinding(subject, 'No validation has ended yet: run one (sti validate).')
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknownFinding(subject, 'Rows were written in bulk since the last validation: run one (sti validate).')
  const check = validation.checks.find((one) => one.check === TYPE_CHECK)
  if (failedSince.includes(TYPE_CHECK))
    return unhealthyFinding(subject, `${TYPE_CHECK} has failed since validation ${validation.id}.`)
  if (check?.verdict === 'fail')
    return unhealthyFinding(
      subject,
      `Validation ${validation.id} found ${check.discrepancies} rows of a wrong type (${check.detail}).`,
    )
  if (check?.verdict === 'pass')
    return healthyFinding(subject, `Validation ${validation.id} found every row of the right type.`)
  return unknownFinding(subject, `Validation ${validation.id} came to no conclusion about the types.`)
}

/** Whether more rows failed than the error budget lets. Null: no backfill has begun. */
export function errorBudgetCondition(input: ConditionInput): ConditionFinding | null {
  const state = freshState(input)
  const change = `backfill-${input.state?.lastBackfill ?? 0}`
  const subject = { rule: 'StiErrorBudgetExceeded', change } as const
  if (input.state?.lastBackfill == null) return null
  if (typeof state === 'string') return unknownFinding(subject, state)
  const { failedRows, totalRows, errorBudget } = state
  if (failedRows === 0) return healthyFinding(subject, 'There is no failed row.')
  if (totalRows === null)
    return unknownFinding(subject, `${failedRows} rows failed; how many there are in all is not known.`)
  const sentence = `${failedRows} of ${totalRows} rows failed, and ${Number((100 * errorBudget).toPrecision(3))} % may.`
  return failedRows > errorBudget * totalRows ? unhealthyFinding(subject, sentence) : healthyFinding(subject, sentence)
}

/** Whether clients have acted on an older state of the flag for longer than they may. From memory. */
export function flagConsistencyCondition({ flag, inconsistentSince, now }: ConditionInput): ConditionFinding | null {
  const subject = { rule: 'StiFlagInconsistent', change: flagChange(flag) } as const
  if (flag.clients.length === 0) return null
  if (inconsistentSince === null) return healthyFinding(subject, 'Every client has seen the flag as it is.')
  const stale = flag.clients.filter((client) => client.stale).map(({ client }) => client)
  const seconds = Math.round((now - inconsistentSince) / 1_000)
  const sentence = `${stale.slice(0, 5).join(', ')}${stale.length > 5 ? ` and ${stale.length - 5} more` : ''} may act on an older state of the flag, for ${seconds} s.`
  return now - inconsistentSince > MAX_INCONSISTENT_MS
    ? unhealthyFinding(subject, sentence)
    : healthyFinding(subject, sentence)
}
