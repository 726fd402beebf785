import type { TimedValue } from '../signals/prometheusClient.ts'

/** A time span divided into buckets of equal length, with the readings of each. */
export interface TimeBuckets {
  readonly startedAt: number
  readonly stepMs: number
  /** Sum and number of the readings of each bucket. */
  readonly sums: number[]
  readonly counts: number[]
}

export function createTimeBuckets(startedAt: number, stepMs: number, length: number): TimeBuckets {
  return { startedAt, stepMs, sums: Array<number>(length).fill(0), counts: Array<number>(length).fill(0) }
}

/** The bucket size for at most `maxBuckets` buckets of at least `minStepMs` milliseconds. */
export function chooseBucketSize(
  durationMs: number,
  minStepMs: number,
  maxBuckets: number,
): { stepMs: number; length: number } {
  const stepMs = Math.max(minStepMs, Math.ceil(durationMs / maxBuckets / 1000) * 1000)
  return { stepMs, length: Math.min(maxBuckets, Math.max(1, Math.ceil(durationMs / stepMs))) }
}

/** Adds a reading; ignores one outside the time span. */
export function addReading(
  { startedAt, stepMs, sums, counts }: TimeBuckets,
  { at, value }: TimedValue,
  weight = 1,
): void {
  const index = Math.floor((at - startedAt) / stepMs)
  if (index < 0 || index >= sums.length) return
  sums[index] = sums[index]! + value * weight
  counts[index] = counts[index]! + weight
}

/** The mean of each bucket, rounded to five digits; null: nothing was read. */
export function computeBucketMeans({ sums, counts }: TimeBuckets): (number | null)[] {
  return sums.map((sum, part) => (counts[part]! > 0 ? roundToFiveDigits(sum / counts[part]!) : null))
}

export function roundToFiveDigits(value: number): number {
  return Number(value.toPrecision(5))
}
