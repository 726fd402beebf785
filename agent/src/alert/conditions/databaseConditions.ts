import { describeStaleClients, TYPE_CHECK } from '../../contract/index.ts'
import { formatDuration, formatQuantity } from '../../format/format.ts'
import { describeFailedRows } from '../../measure/errorBudget.ts'
import { healthyFinding, unhealthyFinding, unknownFinding, type ConditionFinding } from './conditionFinding.ts'
import { flagChange, MAX_STATE_AGE_MS, type ConditionInput, type DatabaseState } from './conditionInput.ts'

/** How long a client may be stale. A client that is silent for this long counts as stale. */
const MAX_INCONSISTENT_MS = 60_000

/** The database state if it is recent; otherwise the reason why it is unknown. */
function freshState({ state, now }: ConditionInput): DatabaseState | string {
  if (state === null) return 'The agent has not read the database since it started.'
  if (now - state.readAt <= MAX_STATE_AGE_MS) return state
  return `The agent last read the database ${formatDuration(Math.round((now - state.readAt) / 1_000))} ago.`
}

/** Unhealthy if the last validation found rows with a wrong type. Null: coverage is not complete. */
export function discrepancyCondition(input: ConditionInput): ConditionFinding | null {
  const subject = { rule: 'StiDiscrepancyAfterCoverage', change: flagChange(input.flag) } as const
  const state = freshState(input)
  if (typeof state === 'string') return unknownFinding(subject, state)
  if (!state.covered) return null
  // Turning the flag on needs a newer validation than the one that was known before.
  if (input.flag.enabled && input.now - state.readSince > input.activeSeconds * 1_000)
    return unknownFinding(subject, 'The agent has not read the last validation since the flag changed.')
  const { validation, lastWriteEndedAt, failedSince } = state
  if (validation === null) return unknownFinding(subject, 'No validation has ended yet. Run sti validate.')
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknownFinding(subject, 'Rows were written in bulk since the last validation. Run sti validate.')
  const check = validation.checks.find((candidate) => candidate.check === TYPE_CHECK)
  if (failedSince.includes(TYPE_CHECK))
    return unhealthyFinding(subject, `${TYPE_CHECK} has failed since validation ${validation.id}.`)
  if (check?.verdict === 'fail') return unhealthyFinding(subject, `Validation ${validation.id} found ${check.detail}.`)
  if (check?.verdict === 'pass')
    return healthyFinding(subject, `Validation ${validation.id} found the correct type in every row.`)
  return unknownFinding(subject, `Validation ${validation.id} was inconclusive about the types.`)
}

/** Unhealthy if failed rows exceed the error budget. Null: no backfill has started. */
export function errorBudgetCondition(input: ConditionInput): ConditionFinding | null {
  const state = freshState(input)
  const change = `backfill-${input.state?.lastBackfill ?? 0}`
  const subject = { rule: 'StiErrorBudgetExceeded', change } as const
  if (input.state?.lastBackfill == null) return null
  if (typeof state === 'string') return unknownFinding(subject, state)
  const { failedRows, totalRows, errorBudget } = state
  if (failedRows === 0) return healthyFinding(subject, 'No rows failed.')
  if (totalRows === null)
    return unknownFinding(
      subject,
      `${formatQuantity(failedRows, 'row')} failed. The total number of rows is not known.`,
    )
  const sentence = `${describeFailedRows(failedRows, totalRows, errorBudget)}.`
  return failedRows > errorBudget * totalRows ? unhealthyFinding(subject, sentence) : healthyFinding(subject, sentence)
}

/** Unhealthy if a client has been stale for more than a minute. From memory. */
export function flagConsistencyCondition({ flag, inconsistentSince, now }: ConditionInput): ConditionFinding | null {
  const subject = { rule: 'StiFlagInconsistent', change: flagChange(flag) } as const
  if (flag.clients.length === 0) return null
  if (inconsistentSince === null) return healthyFinding(subject, 'Every client has the current flag.')
  const duration = formatDuration(Math.round((now - inconsistentSince) / 1_000))
  const limit = formatDuration(MAX_INCONSISTENT_MS / 1_000)
  const sentence =
    `The flag has been outdated at clients for ${duration} (limit ${limit}). ${describeStaleClients(flag) ?? ''}`.trim()
  return now - inconsistentSince > MAX_INCONSISTENT_MS
    ? unhealthyFinding(subject, sentence)
    : healthyFinding(subject, sentence)
}
