import type { RolloutDetail, VitalSign, VitalSignName } from '../contract/index.ts'
import { allowedFailedRows } from '../measure/errorBudget.ts'
import { listSignalLimits } from '../measure/signalLimits.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { isKnown, mapReading, type Reading } from '../signals/reading.ts'
import type { Signals } from '../signals/signals.ts'
import { resolveLimits } from '../throttle/limits.ts'

type KnownDetail = Pick<RolloutDetail, 'baseline' | 'failedRows' | 'validation' | 'operations'>

/** The vital signs of a rollout as of now, from memory. */
export function readVitalSigns(rollout: Rollout, detail: KnownDetail, signals: Signals): VitalSign[] {
  const means = baselineMeans(detail.baseline)
  const limits = listSignalLimits(rollout.file, means)
  const throttle = resolveLimits(rollout.file)
  const api = signals.api(rollout.name)
  const noBaseline = means.has('api-latency-p95') ? null : 'No usable baseline, so there is no limit.'
  return [
    vitalSign('api-latency-p95', 'seconds', api.latencyP95, {
      limit: limits.get('api-latency-p95')?.value ?? null,
      baseline: means.get('api-latency-p95') ?? null,
      detail: noBaseline,
    }),
    vitalSign('api-error-ratio', 'ratio', api.errorRatio, {
      limit: limits.get('api-error-ratio')?.value ?? null,
      baseline: means.get('api-error-ratio') ?? null,
    }),
    // The limit of the throttle is for sessions that wait for STI; this counts every session that waits.
    vitalSign('lock-waiters', 'count', signals.database().lockWaiters, {
      detail: 'Every session of the database that waits for a lock.',
    }),
    replicationLag(signals, throttle.replicationLagBytes.pause),
    vitalSign(
      'failed-rows',
      'count',
      { value: detail.failedRows, at: Date.now() },
      { limit: errorBudgetRows(rollout, detail) },
    ),
  ]
}

function vitalSign(
  name: VitalSignName,
  unit: VitalSign['unit'],
  reading: Reading<number>,
  { limit = null, baseline = null, detail = null }: Partial<Pick<VitalSign, 'limit' | 'baseline' | 'detail'>>,
): VitalSign {
  if (!isKnown(reading)) return { name, unit, value: null, limit, baseline, state: 'unknown', detail: reading.unknown }
  const { value } = reading
  return { name, unit, value, limit, baseline, state: limit !== null && value > limit ? 'exceeded' : 'ok', detail }
}

function replicationLag(signals: Signals, limit: number | null): VitalSign {
  const reading = signals.replication()
  const common = { name: 'replication-lag', unit: 'bytes', baseline: null } as const
  if (isKnown(reading) && reading.value.replicas === 0)
    return { ...common, value: null, limit: null, state: 'ok', detail: 'No replicas.' }
  return vitalSign(
    'replication-lag',
    'bytes',
    mapReading(reading, ({ bytes }) => bytes),
    { limit },
  )
}

function baselineMeans(baseline: KnownDetail['baseline']): ReadonlyMap<string, number> {
  const usable = baseline?.unusable.length === 0 ? baseline.signals : []
  return new Map(usable.flatMap(({ signal, mean }) => (mean === null ? [] : [[signal, mean]])))
}

/** How many rows may fail; null: the rows were never counted. */
function errorBudgetRows({ file }: Rollout, { operations, validation }: KnownDetail): number | null {
  const backfill = operations.find(({ kind, progress }) => kind === 'backfill' && progress !== null)
  const rows = backfill?.progress?.totalRows ?? validation?.totalRows ?? null
  return rows === null ? null : allowedFailedRows(file.errorBudget, rows)
}
