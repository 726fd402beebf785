import { isKnown, type Reading } from '../signals/reading.ts'
import { databaseSignals, rolloutSignals } from '../signals/signalTable.ts'
import { toSamples, type MetricFamily, type ScrapeContext } from './metricFamily.ts'

export const up: MetricFamily = {
  name: 'sti_signal_up',
  type: 'gauge',
  help: '1 if the signal is known now, 0 if it is not.',
  labels: ['rollout', 'signal'],
  *samples(moment) {
    for (const [labels, reading] of allSignalReadings(moment)) yield { labels, value: Number(isKnown(reading)) }
  },
}

export const baseline: MetricFamily = {
  name: 'sti_signal_baseline',
  type: 'gauge',
  help: 'Mean of a signal in the newest usable baseline.',
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
  help: 'Current value of a signal / its baseline.',
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
  help: 'Limit of a signal, in its own unit: derived from its baseline, or set by the rollout file.',
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
  help: 'Current value of a signal / its limit (for a lower limit: limit / value); above 1, the signal is unhealthy.',
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
  allRollouts,
  signals,
}: ScrapeContext): Iterable<[Record<string, string>, Reading<unknown>]> {
  for (const [signal, reading] of databaseSignals(signals)) yield [{ signal }, reading]
  for (const { rollout } of allRollouts) {
    for (const [signal, reading] of rolloutSignals(signals, rollout)) yield [{ rollout, signal }, reading]
  }
}
