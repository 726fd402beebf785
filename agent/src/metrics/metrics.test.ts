import { expect, test } from 'vitest'
import { connect } from '../database/connect.ts'
import { listSignalLimits } from '../measure/signalLimits.ts'
import { parseExposition } from '../signals/exposition.ts'
import { createSignals } from '../signals/signals.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { METRICS, SERIES_NAMES } from './names.ts'
import type { MetricsSource, RolloutReadings } from './metricsSource.ts'
import { rolloutReadings, createMetricsSource } from './testing/metricsSource.ts'

test('the registered series are exactly those in the list', async () => {
  const { metrics } = createTestMetrics(() => [rolloutReadings()])
  const registered = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('sti_'))
  const seen = registered.map(({ name, type, help }) => ({ name, type: String(type), help }))
  expect(seen.sort(compareNames)).toEqual(
    METRICS.map(({ name, type, help }) => ({ name, type, help })).sort(compareNames),
  )
  const used = new Set(SERIES_NAMES)
  for (const name of (await seriesLines(metrics)).map((line) => line.split(/[{ ]/)[0]!)) {
    if (name.startsWith('sti_')) expect(used).toContain(name)
    else expect(name).toMatch(/^(process|nodejs)_/)
  }
})

test('unknown values are absent, not zero', async () => {
  const { metrics } = createTestMetrics(() => [rolloutReadings()])
  const ours = (await seriesLines(metrics)).filter(
    (line) => line.startsWith('sti_') && !line.startsWith('sti_signal_up'),
  )
  expect(ours.map((line) => line.replaceAll('environment="staging",', '')).sort()).toEqual([
    'sti_build_info{version="0.1.0",agent="a"} 1',
    'sti_database_up{environment="staging"} 0',
    'sti_failed_rows{rollout="vehicles"} 0',
    'sti_flag_clients{rollout="vehicles",seen="current"} 0',
    'sti_flag_clients{rollout="vehicles",seen="stale"} 0',
    'sti_flag_consistent{rollout="vehicles"} 1',
    'sti_flag_enabled{rollout="vehicles"} 0',
    'sti_flag_percentage{rollout="vehicles"} 100',
    'sti_retries_total{rollout="vehicles"} 0',
    'sti_rollout_file_versions{rollout="vehicles"} 1',
    'sti_rollout_stage{rollout="vehicles",stage="backfilling"} 1',
    'sti_validation_interval_seconds{rollout="vehicles"} 3600',
    'sti_validations_total{rollout="vehicles",verdict="error"} 0',
    'sti_validations_total{rollout="vehicles",verdict="fail"} 0',
    'sti_validations_total{rollout="vehicles",verdict="inconclusive"} 0',
    'sti_validations_total{rollout="vehicles",verdict="pass"} 0',
  ])
})

test('readings that were not refreshed for three intervals are absent; the flag, from memory, is not', async () => {
  let readAt = Date.now()
  const { metrics } = createTestMetrics(() => [rolloutReadings({ readAt, coverage: 1 })])
  expect(await sampleValue(metrics, 'sti_coverage_ratio')).toBe(1)
  readAt = Date.now() - 3_500
  expect(await sampleValue(metrics, 'sti_coverage_ratio')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_rollout_stage')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_flag_enabled')).toBe(0)
})

test('the propagation time is 0 before its first observation, so that a rate counts this one', async () => {
  const { metrics } = createTestMetrics(
    () => [],
    () => [{ rollout: 'vehicles', seconds: 0 }],
  )
  const count = () => sampleValue(metrics, 'sti_flag_propagation_seconds_count', 'rollout="vehicles"')
  expect(await count()).toBe(0)
  metrics.observePropagation('vehicles', 0.07)
  expect(await count()).toBe(1)
})

test('only the current state has the value 1', async () => {
  let stage: RolloutReadings['stage'] = 'backfilling'
  let throttled: string | null = 'replica r1 is 20 MB behind'
  const progress = {
    processedRows: 999_999,
    writtenRows: 5,
    failedRows: 2,
    totalRows: 1_000_000,
    ratio: 0.999999,
    rowsPerSecond: null,
    remainingSeconds: 1.5,
    batchRows: 100,
    batchSeconds: 0.1,
    retries: {},
  }
  const { metrics } = createTestMetrics(() => [
    rolloutReadings({
      stage,
      backfill: {
        state: stage === 'backfilling' ? 'running' : 'succeeded',
        throttledBy: 'replication-lag',
        pausedBy: stage === 'backfilling' ? null : 'agent',
        progress: { ...progress, throttled },
      },
      failedRowsBySqlstate: stage === 'backfilling' ? { 23514: 2 } : {},
      recovery: { failedOnce: 3, recovered: 1 },
    }),
  ])
  expect(await sampleValue(metrics, 'sti_backfill_throttled', 'reason="replication-lag"')).toBe(1)
  expect(await sampleValue(metrics, 'sti_backfill_throttled', 'reason="lock-waiters"')).toBe(0)
  expect(await sampleValue(metrics, 'sti_failed_rows', 'sqlstate="23514"')).toBe(2)
  expect(await sampleValue(metrics, 'sti_backfill_progress_ratio')).toBe(0.999999)
  expect(await sampleValue(metrics, 'sti_backfill_rows_per_second')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_recovery_ratio')).toBeCloseTo(1 / 3)
  expect(await sampleValue(metrics, 'sti_backfill_remaining_seconds')).toBe(1.5)
  expect(await sampleValue(metrics, 'sti_backfill_paused', 'by="agent"')).toBe(0)
  stage = 'covered'
  throttled = null
  expect(await sampleValue(metrics, 'sti_backfill_paused', 'by="agent"')).toBe(1)
  expect(await sampleValue(metrics, 'sti_backfill_paused', 'by="person"')).toBe(0)
  expect(await sampleValue(metrics, 'sti_backfill_remaining_seconds')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_backfill_throttled', 'reason="replication-lag"')).toBe(0)
  expect(await sampleValue(metrics, 'sti_rollout_stage', 'stage="backfilling"')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_rollout_stage', 'stage="covered"')).toBe(1)
  expect(await sampleValue(metrics, 'sti_failed_rows', 'sqlstate="23514"')).toBeUndefined()
  expect(await sampleValue(metrics, 'sti_failed_rows')).toBe(0)
})

test('an inconclusive check has a verdict and no value', async () => {
  const check = {
    layer: 'integrity' as const,
    unit: 'count' as const,
    value: null,
    limit: null,
    detail: '',
    acceptable: [],
    accepted: [],
    sampleKeys: [],
    query: null,
    seconds: null,
  }
  const checks = [
    { ...check, check: 'coverage', verdict: 'fail' as const, discrepancies: 2 },
    { ...check, check: 'checksum', verdict: 'inconclusive' as const, discrepancies: 0 },
  ]
  const validationEndedAt = '2026-01-01T00:01:00.500Z'
  const { metrics } = createTestMetrics(() => [
    rolloutReadings({ checks, validationEndedAt, validationsByVerdict: { fail: 7 } }),
  ])
  const found = (await seriesLines(metrics)).filter((line) => line.startsWith('sti_check'))
  expect(found.map((line) => line.replace('environment="staging",rollout="vehicles",', '')).sort()).toEqual([
    'sti_check_discrepancies{check="coverage",layer="integrity"} 2',
    'sti_check_verdict{check="checksum",layer="integrity",verdict="inconclusive"} 1',
    'sti_check_verdict{check="coverage",layer="integrity",verdict="fail"} 1',
  ])
  expect(await sampleValue(metrics, 'sti_validation_completed_timestamp_seconds')).toBe(1767225660.5)
  expect(await sampleValue(metrics, 'sti_validations_total', 'verdict="fail"')).toBe(7)
  expect(await sampleValue(metrics, 'sti_validations_total', 'verdict="fail"')).toBe(7)
})

test('events are counted per rollout', async () => {
  const { metrics } = createTestMetrics(() => [])
  metrics.observeBatch({ rollout: 'vehicles', seconds: 0.08, rows: 1_000 })
  metrics.observeOperation({ rollout: 'vehicles', kind: 'backfill', state: 'succeeded', seconds: 70 })
  metrics.observePropagation('vehicles', 0.4)
  expect(await sampleValue(metrics, 'sti_backfill_batch_seconds_bucket', 'le="0.075"')).toBe(0)
  expect(await sampleValue(metrics, 'sti_backfill_batch_seconds_bucket', 'le="0.1"')).toBe(1)
  expect(await sampleValue(metrics, 'sti_backfill_batch_rows_sum')).toBe(1_000)
  expect(await sampleValue(metrics, 'sti_operation_duration_seconds_sum', 'kind="backfill",state="succeeded"')).toBe(70)
  expect(await sampleValue(metrics, 'sti_flag_propagation_seconds_count')).toBe(1)
})

test('baseline and file set the limits; an unknown value has no ratio to its limit', async () => {
  const baseline = new Map([['api-latency-p95', 0.05]])
  const limits = { apiLatencyIncrease: 0.1, queryTimeIncrease: 0.05, resourceUsage: 0.8, errorRatio: 0.001 }
  const file = { limits, signals: [{ name: 'queue', limit: 5, sql: 'select 1' }] }
  const { metrics } = createTestMetrics(() => [rolloutReadings({ baseline, limits: listSignalLimits(file, baseline) })])
  const found = (await seriesLines(metrics)).filter((line) => /^sti_signal_(baseline|limit)/.test(line))
  expect(found.map((line) => line.replace('environment="staging",rollout="vehicles",', '')).sort()).toEqual([
    'sti_signal_baseline{signal="api-latency-p95"} 0.05',
    'sti_signal_limit{signal="api-error-ratio"} 0.001',
    expect.stringMatching(/^sti_signal_limit\{signal="api-latency-p95"\} 0\.055/),
    ...['connections', 'host-cpu', 'host-disk', 'host-memory'].map((name) => `sti_signal_limit{signal="${name}"} 0.8`),
    'sti_signal_limit{signal="queue"} 5',
  ])
})

/** Signals that were not started: everything is unknown. */
function createTestMetrics(
  rollouts: () => readonly RolloutReadings[],
  pendingOffs?: MetricsSource['pendingOffs'],
): { metrics: Metrics } {
  const database = connect('postgres://nobody@127.0.0.1:1/none', 'a')
  const signals = createSignals({ database, agent: 'a', rollouts: [], prometheusUrl: null, now: Date.now })
  const source = { ...createMetricsSource(rollouts), pendingOffs }
  return { metrics: createMetrics({ environment: 'staging', source, signals }) }
}

async function seriesLines(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

/** The value of the first series of this name with these labels; every STI series must have its environment. */
async function sampleValue(metrics: Metrics, name: string, labels = ''): Promise<number | undefined> {
  const samples = parseExposition(await metrics.text(), (found) => found === name)
  for (const { labels } of samples) expect(labels['environment']).toBe('staging')
  const wanted = parseExposition(`x{${labels}} 0`, () => true)[0]!.labels
  return samples.find(({ labels }) => Object.entries(wanted).every(([key, text]) => labels[key] === text))?.value
}

function compareNames(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}
