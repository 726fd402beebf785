import { healthy, unhealthy, unknown, type Finding } from './finding.ts'
import { flagChange, STATE_MS, type Seen, type StateSeen } from './seen.ts'

/** The check of a validation that counts rows whose type is not what their legacy columns say. */
const TYPES = 'type-matches-legacy'
/** How long a client may be stale: one that is silent for so long counts as stale by itself. */
const INCONSISTENT_MS = 60_000

/** What the database last said, as long as that is of now. */
function read({ state, now }: Seen): StateSeen | string {
  if (state === null) return 'The database has not been read since the agent started.'
  if (now - state.readAt <= STATE_MS) return state
  return `The database was last read ${Math.round((now - state.readAt) / 1_000)} s ago.`
}

/** Whether the last validation has found rows of a wrong type, once all of them were written. Null: they were not yet. */
export function discrepancyCondition(seen: Seen): Finding | null {
  const of = { rule: 'StiDiscrepancyAfterCoverage', change: flagChange(seen.flag) } as const
  const state = read(seen)
  if (typeof state === 'string') return unknown(of, state)
  if (!state.covered) return null
  const { validation, lastWriteEndedAt, failedSince } = state
  if (validation === null) return unknown(of, 'No validation has ended yet: run one (sti validate).')
  if (lastWriteEndedAt !== null && lastWriteEndedAt >= validation.startedAt)
    return unknown(of, 'Rows were written in bulk since the last validation: run one (sti validate).')
  const check = validation.checks.find((one) => one.check === TYPES)
  if (failedSince.includes(TYPES)) return unhealthy(of, `${TYPES} has failed since validation ${validation.id}.`)
  if (check?.verdict === 'fail')
    return unhealthy(
      of,
      `Validation ${validation.id} found ${check.discrepancies} rows of a wrong type (${check.detail}).`,
    )
  if (check?.verdict === 'pass') return healthy(of, `Validation ${validation.id} found every row of the right type.`)
  return unknown(of, `Validation ${validation.id} came to no conclusion about the types.`)
}

/** Whether more rows failed than the error budget lets. Null: no backfill has begun. */
export function errorBudgetCondition(seen: Seen): Finding | null {
  const state = read(seen)
  const change = `backfill-${seen.state?.lastBackfill ?? 0}`
  const of = { rule: 'StiErrorBudgetExceeded', change } as const
  if (seen.state?.lastBackfill == null) return null
  if (typeof state === 'string') return unknown(of, state)
  const { failedRows, totalRows, errorBudget } = state
  if (failedRows === 0) return healthy(of, 'There is no failed row.')
  if (totalRows === null) return unknown(of, `${failedRows} rows failed; how many there are in all is not known.`)
  const said = `${failedRows} of ${totalRows} rows failed, and ${Number((100 * errorBudget).toPrecision(3))} % may.`
  return failedRows > errorBudget * totalRows ? unhealthy(of, said) : healthy(of, said)
}

/** Whether clients have acted on an older state of the flag for longer than they may. From memory. */
export function inconsistentCondition({ flag, inconsistentSince, now }: Seen): Finding | null {
  const of = { rule: 'StiFlagInconsistent', change: flagChange(flag) } as const
  if (flag.clients.length === 0) return null
  if (inconsistentSince === null) return healthy(of, 'Every client has seen the flag as it is.')
  const stale = flag.clients.filter((client) => client.stale).map(({ client }) => client)
  const seconds = Math.round((now - inconsistentSince) / 1_000)
  const said = `${stale.slice(0, 5).join(', ')}${stale.length > 5 ? ` and ${stale.length - 5} more` : ''} may act on an older state of the flag, for ${seconds} s.`
  return now - inconsistentSince > INCONSISTENT_MS ? unhealthy(of, said) : healthy(of, said)
}
