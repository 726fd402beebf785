import { expect, test } from 'vitest'
import type { ExpositionSample } from './exposition.ts'
import { computeVariantBlock } from './variantBlocks.ts'
import { summarizeVariant } from './variantSummary.ts'

const SOURCE = { url: '', name: 'http', errors: { status: '5..' }, variant: 'feature_flag_result_variant' }

interface Counts {
  readonly fast: number
  readonly slow: number
  readonly failed?: number
}

/** Requests of 0.05 s and of 0.5 s; the variant null: without the label. */
function samplesOf(variant: string | null, { fast, slow, failed = 0 }: Counts): ExpositionSample[] {
  const label: Record<string, string> = variant === null ? {} : { feature_flag_result_variant: variant }
  const series = (status: string, quick: number, late: number): ExpositionSample[] => [
    { name: 'http_count', labels: { ...label, status }, value: quick + late },
    { name: 'http_sum', labels: { ...label, status }, value: 0.05 * quick + 0.5 * late },
    { name: 'http_bucket', labels: { ...label, status, le: '0.1' }, value: quick },
    { name: 'http_bucket', labels: { ...label, status, le: '1' }, value: quick + late },
    { name: 'http_bucket', labels: { ...label, status, le: '+Inf' }, value: quick + late },
  ]
  return [...series('200', fast, slow), ...series('503', failed, 0)]
}

const scrape = (at: number, ...samples: ExpositionSample[][]) => ({ at, samples: samples.flat() })

test('requests between two scrapes are told apart by the label; those without it are not judged', () => {
  const before = scrape(0, samplesOf('on', { fast: 5, slow: 1 }), samplesOf('off', { fast: 9, slow: 0 }))
  const after = scrape(
    500,
    samplesOf('on', { fast: 15, slow: 6, failed: 2 }),
    samplesOf('off', { fast: 29, slow: 1 }),
    samplesOf(null, { fast: 1_000, slow: 1_000, failed: 1_000 }),
    samplesOf('blue', { fast: 0, slow: 70 }),
  )
  const block = computeVariantBlock(SOURCE, before, after)!
  expect(block).toMatchObject({ from: 0, until: 500, bounds: [0.1, 1], errorsUnknown: null })
  expect(block.on).toMatchObject({ all: 17, failed: 2, slower: [5, 0] })
  expect(block.on.seconds).toBeCloseTo(3.1, 10)
  expect(block.off).toMatchObject({ all: 21, failed: 0, slower: [1, 0] })
})

test('a variant that appears counts from zero, and a restart of the application is no negative count', () => {
  const before = scrape(0, samplesOf('off', { fast: 90, slow: 0 }))
  const after = scrape(500, samplesOf('on', { fast: 3, slow: 0 }), samplesOf('off', { fast: 7, slow: 0 }))
  expect(computeVariantBlock(SOURCE, before, after)).toMatchObject({ on: { all: 3 }, off: { all: 7 } })
})

test('without the label there is no block, and without the label of errors they are unknown', () => {
  const plain = scrape(500, samplesOf(null, { fast: 9, slow: 0 }))
  expect(computeVariantBlock(SOURCE, plain, plain)).toBeNull()
  const off = scrape(500, samplesOf('off', { fast: 9, slow: 0 }))
  expect(computeVariantBlock({ ...SOURCE, errors: { code: '5..' } }, off, off)?.errorsUnknown).toMatch(/no label code/)
})

test('the recent requests of a variant as latency, error ratio and rate', () => {
  const scrapes = [0, 1, 2].map((second) =>
    scrape(second * 1_000, samplesOf('on', { fast: 10 * second, slow: 10 * second, failed: 5 * second })),
  )
  const blocks = [1, 2].map((index) => computeVariantBlock(SOURCE, scrapes[index - 1]!, scrapes[index]!)!)
  const summary = summarizeVariant(blocks, 'on', 30)!
  expect(summary).toMatchObject({ requestsPerSecond: 25, errorRatio: 0.2 })
  expect(summary.latencyAverage).toBeCloseTo((15 * 0.05 + 10 * 0.5) / 25, 10)
  // By hand: rank 47.5 of 50, in the bucket from 0.1 to 1 with ranks 30 to 50.
  expect(summary.latencyP95).toBeCloseTo(0.1 + (0.9 * 17.5) / 20, 10)
  expect(summarizeVariant(blocks, 'off', 30)).toMatchObject({ requestsPerSecond: 0, latencyAverage: null })
  expect(summarizeVariant([], 'on', 30)).toBeNull()
})
