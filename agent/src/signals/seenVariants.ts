import type { HistogramScrape } from './seriesIncrease.ts'
import type { ApiHistogram } from './signalConfig.ts'

/** The values of the label: the variants of the flag as OFREP names them. */
export type Variant = 'on' | 'off'

/** The variants that a scrape has requests of. */
export function seenVariants({ name, variant }: ApiHistogram, { samples }: HistogramScrape): ReadonlySet<Variant> {
  const values = samples.filter((sample) => sample.name === `${name}_count`).map(({ labels }) => labels[variant])
  return new Set(values.filter((value) => value === 'on' || value === 'off'))
}
