import type { TimedValue } from '../signals/prometheus.ts'

/** A span of time cut into parts of the same length, and what was read in each. */
export interface Blocks {
  readonly startedAt: number
  readonly stepMs: number
  /** Sum and number of the readings of each part. */
  readonly sums: number[]
  readonly counts: number[]
}

export function createBlocks(startedAt: number, stepMs: number, length: number): Blocks {
  return { startedAt, stepMs, sums: Array<number>(length).fill(0), counts: Array<number>(length).fill(0) }
}

/** Parts of at least `shortestMs`, and at most `most` of them. */
export function stepFor(durationMs: number, shortestMs: number, most: number): { stepMs: number; length: number } {
  const stepMs = Math.max(shortestMs, Math.ceil(durationMs / most / 1000) * 1000)
  return { stepMs, length: Math.min(most, Math.max(1, Math.ceil(durationMs / stepMs))) }
}

/** A reading outside of the span is left out. */
export function put({ startedAt, stepMs, sums, counts }: Blocks, { at, value }: TimedValue, weight = 1): void {
  const part = Math.floor((at - startedAt) / stepMs)
  if (part < 0 || part >= sums.length) return
  sums[part] = sums[part]! + value * weight
  counts[part] = counts[part]! + weight
}

/** The mean of each part, five digits of it; null where nothing was read. */
export function means({ sums, counts }: Blocks): (number | null)[] {
  return sums.map((sum, part) => (counts[part]! > 0 ? rounded(sum / counts[part]!) : null))
}

export function rounded(value: number): number {
  return Number(value.toPrecision(5))
}
