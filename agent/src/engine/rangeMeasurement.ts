import type { SharedWorkerState } from './bulkUpdateJob.ts'

/** Updates of a relation, and how many of them were HOT. */
export interface UpdateCounts {
  readonly updates: number
  readonly hotUpdates: number
}

/** The cost of one range that was written from its first to its last batch by one worker. */
export interface RangeMeasurement {
  readonly striped: boolean
  /** Batch size that was intended when the range was planned. */
  readonly batchRows: number
  seconds: number
  all: UpdateCounts
  firstStripe: UpdateCounts
}

export function startMeasurement(striped: boolean, batchRows: number): RangeMeasurement {
  const none = { updates: 0, hotUpdates: 0 }
  return { striped, batchRows, seconds: 0, all: none, firstStripe: none }
}

export function addBatchToMeasurement(
  measurement: RangeMeasurement,
  batch: UpdateCounts & { readonly seconds: number },
  isFirstStripe: boolean,
): void {
  measurement.seconds += batch.seconds
  measurement.all = addCounts(measurement.all, batch)
  if (isFirstStripe) measurement.firstStripe = addCounts(measurement.firstStripe, batch)
}

/** Feeds a finished range to the stripe policy and to the batch size. */
export function reportMeasurement(
  { stripePolicy, hillClimb }: SharedWorkerState,
  { striped, batchRows, seconds, all, firstStripe }: RangeMeasurement,
  written: number,
): void {
  stripePolicy.observe({
    striped,
    written,
    seconds,
    hotRatio: hotRatio(all),
    // A plain range has more than one stripe if a page has more rows than a batch may have.
    firstHotRatio: hotRatio(firstStripe),
  })
  hillClimb?.observe(batchRows, written, seconds)
}

function addCounts(a: UpdateCounts, b: UpdateCounts): UpdateCounts {
  return { updates: a.updates + b.updates, hotUpdates: a.hotUpdates + b.hotUpdates }
}

function hotRatio({ updates, hotUpdates }: UpdateCounts): number | null {
  return updates === 0 ? null : hotUpdates / updates
}

export interface HotCounters {
  /** Counts since the last call. */
  difference(current: UpdateCounts): UpdateCounts
}

/** A connection's counters grow until PostgreSQL reports its statistics, then they restart at 0. */
export function createHotCounters(): HotCounters {
  let last: UpdateCounts = { updates: 0, hotUpdates: 0 }
  return {
    difference({ updates, hotUpdates }) {
      const isContinuous = updates >= last.updates && hotUpdates >= last.hotUpdates
      const difference = isContinuous
        ? { updates: updates - last.updates, hotUpdates: hotUpdates - last.hotUpdates }
        : { updates, hotUpdates }
      last = { updates, hotUpdates }
      return difference
    },
  }
}
