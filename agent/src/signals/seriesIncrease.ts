import type { ExpositionSample } from './exposition.ts'

/** The samples of one histogram at one time. */
export interface HistogramScrape {
  readonly at: number
  readonly samples: readonly ExpositionSample[]
}

export interface SeriesIncrease {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly increase: number
}

/** A window has each sample for as long as it lasts, and is read again with each scrape, so a sample's key is made once. */
const seriesKeys = new WeakMap<ExpositionSample, string>()

function seriesKey(sample: ExpositionSample): string {
  let key = seriesKeys.get(sample)
  if (key === undefined) {
    key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
    seriesKeys.set(sample, key)
  }
  return key
}

/**
 * How much each series grew over the scrapes, oldest first. A value that falls is a restart: it counts from zero. A
 * series that the first scrape did not have began at zero, so that the first error of a process is not lost.
 */
export function computeIncreases(scrapes: readonly HistogramScrape[]): SeriesIncrease[] {
  const totals = new Map<string, { sample: ExpositionSample; last: number; increase: number }>()
  for (const [index, scrape] of scrapes.entries()) {
    for (const sample of scrape.samples) {
      const key = seriesKey(sample)
      const series = totals.get(key)
      if (!series) {
        totals.set(key, { sample, last: sample.value, increase: index === 0 ? 0 : sample.value })
        continue
      }
      series.increase += sample.value < series.last ? sample.value : sample.value - series.last
      series.last = sample.value
    }
  }
  return [...totals.values()].map(({ sample, increase }) => ({ name: sample.name, labels: sample.labels, increase }))
}
