import type { ExpositionSample } from './exposition.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import type { Variant } from './seenVariants.ts'
import type { HistogramScrape } from './seriesIncrease.ts'
import type { ApiHistogram, ApiQueries } from './signalConfig.ts'

const VARIANTS: readonly Variant[] = ['on', 'off']
const SUFFIX = /_(bucket|sum|count)$/
/** The label that tells the two queries apart; a name that no application uses. */
const VARIANT_LABEL = 'sti_variant'

/** The series of both variants in Prometheus at one time, as if they had been scraped from one application. */
interface PromqlScrape {
  readonly source: ApiHistogram
  readonly scrape: HistogramScrape
}

/**
 * Runs `api.promql.requests` for each variant at the same time: the series of one histogram, with every label that tells
 * processes apart, so that the restart of one of them is seen.
 * @throws Error with one sentence
 */
export async function scrapePromqlRequests(
  { requests, errors = {} }: Pick<ApiQueries, 'requests' | 'errors'>,
  prometheus: PrometheusClient | null,
  at: number,
): Promise<PromqlScrape> {
  if (requests === undefined) throw new Error('the rollout file has no api.histogram and no api.promql.requests')
  if (prometheus === null) throw new Error('the agent has no Prometheus: set STI_PROMETHEUS_URL')
  const queried = await Promise.all(
    VARIANTS.map(async (variant) => {
      const series = await prometheus.queryAll(requests.replaceAll('$variant', variant), at)
      return series.map(({ labels: { __name__: name = '', ...labels }, value }): ExpositionSample => {
        if (!SUFFIX.test(name))
          throw new Error(
            `${requests} returns a series ${name === '' ? 'without a name' : name}: it must return the series of one histogram, with __name__`,
          )
        return { name, labels: { ...labels, [VARIANT_LABEL]: variant }, value }
      })
    }),
  )
  const samples = queried.flat()
  const names = new Set(samples.map(({ name }) => name.replace(SUFFIX, '')))
  if (names.size === 0) throw new Error(`${requests} returns no series for either variant`)
  if (names.size > 1) throw new Error(`${requests} returns ${names.size} histograms: it must return one`)
  return { source: { url: '', name: [...names][0]!, errors, variant: VARIANT_LABEL }, scrape: { at, samples } }
}

/**
 * What is comparable with the scrape before: a series that returns after its process could not be scraped would count
 * everything since that process started. Null: Prometheus has scraped nothing since.
 */
export function onlyKnownSeries(before: HistogramScrape, after: HistogramScrape): HistogramScrape | null {
  const valuesBefore = new Map(before.samples.map((sample) => [seriesKey(sample), sample.value]))
  const known = after.samples.filter((sample) => valuesBefore.has(seriesKey(sample)))
  const hasChanged =
    after.samples.length !== before.samples.length ||
    after.samples.some((sample) => valuesBefore.get(seriesKey(sample)) !== sample.value)
  return hasChanged ? { at: after.at, samples: known } : null
}

const seriesKey = ({ name, labels }: ExpositionSample): string =>
  `${name} ${JSON.stringify(Object.entries(labels).sort())}`
