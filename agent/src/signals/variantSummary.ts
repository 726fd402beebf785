import { histogramQuantile } from './apiScraper.ts'
import type { Variant } from './seenVariants.ts'
import type { VariantBlock } from './variantBlock.ts'

/** The recent requests of one variant. A value that needs requests is null without any. */
export interface VariantSummary {
  readonly requestsPerSecond: number
  readonly latencyAverage: number | null
  readonly latencyP95: number | null
  /** Null also if failed requests cannot be told from others. */
  readonly errorRatio: number | null
}

/** Sums the blocks, oldest first, of the last `seconds` before the end of the newest. Null: there is none. */
export function summarizeVariant(
  blocks: readonly VariantBlock[],
  variant: Variant,
  seconds: number,
): VariantSummary | null {
  const last = blocks.at(-1)
  if (last === undefined) return null
  const recent = blocks.filter(
    ({ from, bounds }) => from >= last.until - seconds * 1_000 && bounds.length === last.bounds.length,
  )
  const elapsedSeconds = recent.reduce((sum, { from, until }) => sum + (until - from) / 1_000, 0)
  if (elapsedSeconds === 0) return null
  const sum = (value: (block: VariantBlock) => number): number =>
    recent.reduce((total, block) => total + value(block), 0)
  const all = sum((block) => block[variant].all)
  const buckets = last.bounds.map((bound, index): [number, number] => [
    bound,
    all - sum((block) => block[variant].slower[index]!),
  ])
  return {
    requestsPerSecond: all / elapsedSeconds,
    latencyAverage: all === 0 ? null : sum((block) => block[variant].seconds) / all,
    latencyP95: all === 0 ? null : histogramQuantile(0.95, new Map([...buckets, [Infinity, all]])),
    errorRatio: all === 0 || last.errorsUnknown !== null ? null : sum((block) => block[variant].failed) / all,
  }
}
