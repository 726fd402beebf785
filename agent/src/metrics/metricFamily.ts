import { isKnown, type Reading } from '../signals/reading.ts'
import type { Signals } from '../signals/signals.ts'
import type { DropReason, PendingOffReading, RolloutReadings } from './metricsSource.ts'

/** One metric: its name, help and labels (every metric also has `environment`), and its values at a scrape. */
export interface MetricFamily {
  readonly name: `sti_${string}`
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
  /** Reads memory only. Without a sample, the series is absent. */
  samples(moment: ScrapeContext): Iterable<MetricSample>
}

/** A metric that observes events, so its counts only cover this process. */
export interface HistogramFamily {
  readonly name: `sti_${string}`
  readonly type: 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets: readonly number[]
}

export interface ScrapeContext {
  readonly build: { readonly version: string; readonly agent: string }
  readonly signals: Signals
  /** Milliseconds since 1970. */
  readonly watchdogSeenAt: number | null
  readonly alertsDropped: Readonly<Record<DropReason, number>> | null
  readonly pendingOffs: readonly PendingOffReading[]
  /** Rollouts with fresh readings. */
  readonly rollouts: readonly RolloutReadings[]
  /** Every rollout: only for values that memory alone decides. */
  readonly allRollouts: readonly RolloutReadings[]
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A gauge with one value per rollout; null: the series is absent. */
export function perRollout(
  name: MetricFamily['name'],
  help: string,
  value: (readings: RolloutReadings) => number | null | undefined,
): MetricFamily {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ rollouts }) {
      for (const readings of rollouts) yield* toSamples({ rollout: readings.rollout }, value(readings))
    },
  }
}

/** A gauge of the whole environment, from one reading. */
export function perEnvironment(
  name: MetricFamily['name'],
  help: string,
  read: (signals: Signals) => Reading<number>,
): MetricFamily {
  return {
    name,
    type: 'gauge',
    help,
    labels: [],
    *samples({ signals }) {
      yield* readingToSamples({}, read(signals))
    },
  }
}

export function toSamples(labels: MetricSample['labels'], value: number | null | undefined): MetricSample[] {
  return value === null || value === undefined || !Number.isFinite(value) ? [] : [{ labels, value }]
}

export function readingToSamples(labels: MetricSample['labels'], reading: Reading<number>): MetricSample[] {
  return isKnown(reading) ? toSamples(labels, reading.value) : []
}
