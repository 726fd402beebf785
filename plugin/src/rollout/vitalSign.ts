import { TYPE_CHECK, type RolloutDetail, type VitalSign, type VitalSignName } from '@sti-rollout/agent/contract'
import { formatPercent, formatQuantity, formatValue } from '@sti-rollout/agent/format'
import { formatFlagState } from './display'

export const VITAL_SIGN_LABELS = {
  'api-latency-p95': 'API p95',
  'api-error-ratio': 'API errors',
  'lock-waiters': 'Lock waiters',
  'replication-lag': 'Replication lag',
  'failed-rows': 'Failed rows',
} as const satisfies Record<VitalSignName, string>

/** What stands for a limit that does not exist. */
const WITHOUT_LIMIT = {
  'api-latency-p95': 'no baseline yet',
  'api-error-ratio': 'no limit',
  'lock-waiters': 'sessions of the database',
  'replication-lag': 'no limit',
  'failed-rows': 'no backfill yet',
} as const satisfies Record<VitalSignName, string>

type Tone = 'good' | 'bad' | 'unknown'

/** A vital sign as it is shown. */
export interface Vital {
  readonly label: string
  readonly value: string
  readonly note: string
  readonly tone: Tone
  readonly detail: string | null
}

/**
 * A reading of the agent with its limit in words. Rows that the latest validation found with a wrong type did not fail when
 * they were written, so failed rows do not count them; they are named beside these.
 */
export function toVital(
  { name, unit, value, limit, baseline, state, detail }: VitalSign,
  validation: RolloutDetail['validation'],
): Vital {
  const label = VITAL_SIGN_LABELS[name]
  if (state === 'unknown') return { label, value: 'unknown', note: 'no reading', tone: 'unknown', detail }
  if (value === null)
    return {
      label,
      value: '–',
      note: (detail ?? 'nothing to measure').replace(/\.$/, '').toLowerCase(),
      tone: 'good',
      detail: null,
    }
  const wrong = name === 'failed-rows' ? countWrongRows(validation) : 0
  const tone = state === 'exceeded' || wrong > 0 ? 'bad' : 'good'
  const change = baseline !== null && baseline > 0 && name === 'api-latency-p95' ? value / baseline - 1 : null
  const notes = [
    wrong > 0 && `${formatQuantity(wrong, 'row')} with a wrong type`,
    change !== null && `${change < 0 ? '−' : '+'}${formatPercent(Math.abs(change))} vs. baseline`,
    limit !== null && `${name === 'failed-rows' ? 'budget' : 'limit'} ${formatValue(limit, unit)}`,
  ].filter(Boolean)
  return {
    label,
    value: formatValue(value, unit),
    note: notes.length > 0 ? notes.join(', ') : WITHOUT_LIMIT[name],
    tone: notes.length > 0 ? tone : 'unknown',
    detail,
  }
}

const countWrongRows = (validation: RolloutDetail['validation']): number =>
  validation?.checks.find(({ check }) => check === TYPE_CHECK)?.discrepancies ?? 0

/** The flag and its clients as a vital sign. */
export function flagVital(flag: RolloutDetail['flag']): Vital {
  const stale = flag.clients.filter((client) => client.stale).length
  const clients = formatQuantity(flag.clients.length, 'client')
  return {
    label: 'Flag',
    value: formatFlagState(flag),
    note: !flag.persisted ? 'in memory only' : stale > 0 ? `${stale} of ${clients} out of date` : `${clients}, in sync`,
    tone: stale > 0 || !flag.persisted ? 'bad' : 'good',
    detail: null,
  }
}
