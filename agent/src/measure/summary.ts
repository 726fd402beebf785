import type { SignalBaseline } from '../contract/index.ts'
import { means, rounded, type Blocks } from './blocks.ts'
import { meanOf } from './mean.ts'
import { ENOUGH } from './ratioTest.ts'

/** A signal known for a smaller part of the time, from its first to its last reading, is not the baseline of it. */
const SPANNED = 0.8

/** What is kept of a signal; `missing` says why nothing was read, where that is known. */
export function summaryOf(signal: string, blocks: Blocks, missing: string | null): SignalBaseline {
  const values = means(blocks)
  const known = values.filter((value) => value !== null)
  const samples = blocks.counts.reduce((sum, count) => sum + count, 0)
  const of = { signal, samples, stepSeconds: blocks.stepMs / 1000, values }
  const unknown = known.length < ENOUGH || spanned(values) < SPANNED ? (missing ?? tooLittle(values, blocks)) : null
  const mean = meanOf(values)
  if (unknown !== null || mean === null) {
    const nothing = { mean: null, standardDeviation: null, median: null, p95: null, maximum: null }
    return { ...of, ...nothing, unknown: unknown ?? 'nothing was read' }
  }
  const sorted = [...known].sort((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  return {
    ...of,
    mean: rounded(mean.mean),
    standardDeviation: rounded(Math.sqrt(mean.variance)),
    median: at(0.5),
    p95: at(0.95),
    maximum: sorted.at(-1)!,
    unknown: null,
  }
}

function spanned(values: readonly (number | null)[]): number {
  const first = values.findIndex((value) => value !== null)
  const last = values.findLastIndex((value) => value !== null)
  return first < 0 ? 0 : (last - first + 1) / values.length
}

function tooLittle(values: readonly (number | null)[], { stepMs }: Blocks): string {
  const known = values.filter((value) => value !== null).length
  if (known === 0) return 'nothing was read'
  const [seconds, whole] = [(spanned(values) * values.length * stepMs) / 1000, (values.length * stepMs) / 1000]
  return `too little was read: ${known} values over ${Math.round(seconds)} of ${Math.round(whole)} s`
}
