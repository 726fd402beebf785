import { isKnown, type Reading } from '../signals/reading.ts'
import type { Signals } from '../signals/signals.ts'
import type { RolloutReadings } from './source.ts'

/** One series: its name, help and labels (besides `environment`, which all have), and its values at a scrape. */
export interface Family {
  readonly name: `sti_${string}`
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
  /** Reads memory only. No sample: the series is absent. */
  samples(moment: Moment): Iterable<Sample>
}

/** A series that is fed event by event, and so lives in this process alone. */
export interface Observed {
  readonly name: `sti_${string}`
  readonly type: 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets: readonly number[]
}

export interface Moment {
  readonly build: { readonly version: string; readonly agent: string }
  readonly signals: Signals
  /** Milliseconds since 1970. */
  readonly alertPathSeenAt: number | null
  /** Those with fresh readings. */
  readonly rollouts: readonly RolloutReadings[]
  /** All of them: only what is true from memory may be taken from here. */
  readonly all: readonly RolloutReadings[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A gauge with one value per rollout; null is absent. */
export function perRollout(
  name: Family['name'],
  help: string,
  value: (readings: RolloutReadings) => number | null | undefined,
): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ rollouts }) {
      for (const readings of rollouts) yield* sample({ rollout: readings.rollout }, value(readings))
    },
  }
}

/** A gauge of the environment as a whole, from one reading. */
export function perEnvironment(
  name: Family['name'],
  help: string,
  read: (signals: Signals) => Reading<number>,
): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: [],
    *samples({ signals }) {
      yield* known({}, read(signals))
    },
  }
}

export function sample(labels: Sample['labels'], value: number | null | undefined): Sample[] {
  return value === null || value === undefined || !Number.isFinite(value) ? [] : [{ labels, value }]
}

export function known(labels: Sample['labels'], reading: Reading<number>): Sample[] {
  return isKnown(reading) ? sample(labels, reading.value) : []
}
