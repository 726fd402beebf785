import { isKnown, type Reading } from '../signals/reading.ts'
import type { Signals } from '../signals/signals.ts'
import type { RolloutReadings } from './metricsSource.ts'

/** One series: its name, help and labels (besides `environment`, which all have), and its values at a scrape. */
export interface MetricFamily {
  readonly name: `sti_${string}`
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
  /** Reads memory only. No sample: the series is absent. */
  samples(moment: ScrapeContext): Iterable<MetricSample>
}

/** A series that is fed event by event, and so lives in this process alone. */
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
  /** Those with fresh readings. */
  readonly rollouts: readonly RolloutReadings[]
  /** All of them: only what is true from memory may be taken from here. */
  readonly allRollouts: readonly RolloutReadings[]
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A gauge with one value per rollout; null is absent. */
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

/** A gauge of the environment as a whole, from one reading. */
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
