import { isKnown, type Reading } from '../signals/reading.ts'
import { toSamples, type MetricFamily, type ScrapeContext } from './metricFamily.ts'

export const up: MetricFamily = {
  name: 'sti_signal_up',
  type: 'gauge',
  help: '1 when the signal is known now, 0 when it is not.',
  labels: ['rollout', 'signal'],
  *samples(moment) {
    for (const [labels, reading] of allSignalReadings(moment)) yield { labels, value: Number(isKnown(reading)) }
  },
}

export const baseline: MetricFamily = {
  name: 'sti_signal_baseline',
  type: 'gauge',
  help: 'Mean of a signal in the newest baseline that can be used.',
  labels: ['rollout', 'signal'],
  *samples({ rollouts }) {
    for (const { rollout, baseline } of rollouts) {
      for (const [signal, value] of baseline) yield { labels: { rollout, signal }, value }
    }
  },
}

export const baselineRatio: MetricFamily = {
  name: 'sti_signal_baseline_ratio',
  type: 'gauge',
  help: 'A signal now / its baseline.',
  labels: ['rollout', 'signal'],
  *samples({ rollouts, signals }) {
    for (const { rollout, baseline } of rollouts) {
      for (const [signal, reading] of signals.values(rollout)) {
        const mean = baseline.get(signal) ?? 0
        if (isKnown(reading) && mean > 0) yield* toSamples({ rollout, signal }, reading.value / mean)
      }
    }
  },
}

export const limit: MetricFamily = {
  name: 'sti_signal_limit',
  type: 'gauge',
  help: 'What a signal may reach, in its own unit: by its baseline, or as the rollout file says.',
  labels: ['rollout', 'signal'],
  *samples({ rollouts }) {
    for (const { rollout, limits } of rollouts) {
      for (const [signal, { value }] of limits) yield { labels: { rollout, signal }, value }
    }
  },
}

export const limitRatio: MetricFamily = {
  name: 'sti_signal_limit_ratio',
  type: 'gauge',
  help: 'A signal / its limit, or its limit / the signal where that is a least one; above 1 it is unhealthy.',
  labels: ['rollout', 'signal'],
  *samples({ rollouts, signals }) {
    for (const { rollout, limits } of rollouts) {
      for (const [signal, reading] of signals.values(rollout)) {
        const limit = limits.get(signal)
        if (!limit || !isKnown(reading)) continue
        const ratio = limit.side === 'at most' ? reading.value / limit.value : limit.value / reading.value
        yield* toSamples({ rollout, signal }, ratio)
      }
    }
  },
}

function* allSignalReadings({
  allRollouts: all,
  signals,
}: ScrapeContext): Iterable<[Record<string, string>, Reading<unknown>]> {
  const database = signals.database()
  yield [{ signal: 'connections' }, database.connections]
  yield [{ signal: 'query-time' }, database.querySeconds]
  yield [{ signal: 'lock-wait' }, database.lockWaitSeconds]
  yield [{ signal: 'buffer-hit-ratio' }, database.bufferHitRatio]
  yield [{ signal: 'oldest-transaction' }, database.oldestTransaction]
  yield [{ signal: 'replication' }, signals.replication()]
  for (const { rollout } of all) {
    const api = signals.api(rollout)
    yield [{ rollout, signal: 'api-latency-average' }, api.latencyAverage]
    yield [{ rollout, signal: 'api-latency-p95' }, api.latencyP95]
    yield [{ rollout, signal: 'api-error-ratio' }, api.errorRatio]
    yield [{ rollout, signal: 'api-request-rate' }, api.requestRate]
    const host = signals.host(rollout)
    yield [{ rollout, signal: 'host-cpu' }, host.cpu]
    yield [{ rollout, signal: 'host-memory' }, host.memory]
    yield [{ rollout, signal: 'host-disk' }, host.disk]
    yield [{ rollout, signal: 'host-disk-operations' }, host.diskOperations]
    yield [{ rollout, signal: 'host-network' }, host.networkBytes]
    for (const { name, reading } of signals.custom(rollout)) yield [{ rollout, signal: name }, reading]
  }
}
