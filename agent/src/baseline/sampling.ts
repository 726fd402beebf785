import { MAX_BASELINE_QUERY_VALUES, MAX_BASELINE_VALUES, type BaselineContent } from '../contract/index.ts'
import { createTimeBuckets, addReading, chooseBucketSize, type TimeBuckets } from '../measure/timeBuckets.ts'
import { addInterval, type SampledQueries, type SampledQuery } from '../measure/querySampling.ts'
import type { RecentReadings } from '../signals/readingBuffer.ts'

const READING_INTERVAL_MS = 5_000
/** Not a valid signal name. */
const STATEMENTS_KEY = 'pg_stat_statements'

/** A measured baseline before it is tied to a rollout file. */
export type BaselineMeasurement = Pick<
  BaselineContent,
  'measured' | 'startedAt' | 'endedAt' | 'signals' | 'queries' | 'notes'
>

/** The samples of a time span so far. */
export interface Sampling {
  readonly startedAt: number
  readonly durationMs: number
  readonly signals: Map<string, TimeBuckets>
  readonly queries: SampledQueries
  /** The time of the last sampled reading of each signal: readings of different signals arrive out of order. */
  readonly taken: Map<string, number>
}

export function createSampling(startedAt: number, durationMs: number): Sampling {
  return { startedAt, durationMs, signals: new Map(), queries: new Map(), taken: new Map() }
}

/** Adds the readings since the last call that belong to the time span. */
export function addRecentReadings(sampling: Sampling, recent: RecentReadings, rollout: string, now: number): void {
  const { startedAt, durationMs, taken } = sampling
  const after = (name: string): number => taken.get(name) ?? startedAt - 1
  const { stepMs, length } = chooseBucketSize(durationMs, READING_INTERVAL_MS, MAX_BASELINE_VALUES)
  for (const signal of recent.signalNames(rollout)) {
    const readings = recent.readings(rollout, signal, after(signal)).filter(({ at }) => at <= now)
    if (readings.length === 0) continue
    let blocks = sampling.signals.get(signal)
    if (!blocks) sampling.signals.set(signal, (blocks = createTimeBuckets(startedAt, stepMs, length)))
    for (const reading of readings) addReading(blocks, reading)
    taken.set(signal, readings.at(-1)!.at)
  }
  const window = { startedAt, ...chooseBucketSize(durationMs, READING_INTERVAL_MS, MAX_BASELINE_QUERY_VALUES) }
  for (const interval of recent.statementIntervals(after(STATEMENTS_KEY)).filter(({ at }) => at <= now)) {
    addInterval(sampling.queries, interval, window)
    taken.set(STATEMENTS_KEY, interval.at)
  }
}

/** The stored form of a sampling in progress. */
export interface SavedSampling {
  readonly durationMs: number
  readonly taken: Record<string, number>
  readonly signals: Record<string, TimeBuckets>
  readonly queries: Record<string, SampledQuery>
}

/** Only the slowest queries are stored, so that the row of a long sampling stays small. */
const MAX_SAVED_QUERIES = 200

export function serializeSampling({ durationMs, taken, signals, queries }: Sampling): SavedSampling {
  const slowest = [...queries].sort(([, a], [, b]) => b.total.seconds - a.total.seconds).slice(0, MAX_SAVED_QUERIES)
  return {
    durationMs,
    taken: Object.fromEntries(taken),
    signals: Object.fromEntries(signals),
    queries: Object.fromEntries(slowest),
  }
}

export function deserializeSampling(
  startedAt: number,
  { durationMs, taken, signals, queries }: SavedSampling,
): Sampling {
  return {
    startedAt,
    durationMs,
    taken: new Map(Object.entries(taken)),
    signals: new Map(Object.entries(signals)),
    queries: new Map(Object.entries(queries)),
  }
}
