import { displayUrl } from '../format/url.ts'
import { boundedGet } from '../boundedGet.ts'
import { parseExposition } from './exposition.ts'
import type { ApiReadings } from './apiScraper.ts'
import { isKnown } from './reading.ts'
import { seenVariants } from './seenVariants.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { scrapePromqlRequests } from './promqlRequests.ts'
import type { ApiHistogram, ApiQueries, ApiSource } from './signalConfig.ts'

/** What the metrics of the application say about the variants of the flag, as one sentence. */
export interface VariantCheck {
  /** The histogram exists. A label that is missing is no fault: then the baseline decides. */
  readonly found: boolean
  readonly sentence: string
}

/** Reads the application, or Prometheus, once. Null: the rollout file does not say how requests are counted. */
export async function checkVariants(api: ApiSource, prometheusUrl: string | null): Promise<VariantCheck | null> {
  if (api.histogram !== undefined) return await checkHistogram(api.histogram)
  return api.promql?.requests === undefined ? null : await checkQuery(api.promql, prometheusUrl)
}

/** The same from the readings in memory. */
export function checkReadVariants(api: ApiSource, readings: ApiReadings): VariantCheck | null {
  const { requestRate, durationVariation, variants } = readings
  if (api.histogram !== undefined)
    return isKnown(requestRate)
      ? { found: true, sentence: describeVariants(api.histogram, variants) }
      : { found: false, sentence: `The application cannot be read: ${requestRate.unknown}.` }
  if (api.promql?.requests === undefined) return null
  return isKnown(durationVariation)
    ? { found: true, sentence: describeQueriedVariants(variants) }
    : { found: false, sentence: `api.promql.requests cannot be read: ${durationVariation.unknown}.` }
}

async function checkQuery(queries: ApiQueries, prometheusUrl: string | null): Promise<VariantCheck> {
  const prometheus = prometheusUrl === null ? null : createPrometheusClient(prometheusUrl)
  try {
    const { source, scrape } = await scrapePromqlRequests(queries, prometheus, Date.now())
    return { found: true, sentence: describeQueriedVariants(seenVariants(source, scrape)) }
  } catch (error) {
    return { found: false, sentence: `api.promql.requests cannot be read: ${(error as Error).message}.` }
  }
}

const OTHER_VARIANT = 'the other one appears once the flag is on for a part of the users'

/** Reads the histogram once, for at most 2 s. */
async function checkHistogram(source: ApiHistogram): Promise<VariantCheck> {
  const url = displayUrl(source.url)
  try {
    const { status, text } = await boundedGet(source.url, { milliseconds: 2_000, bytes: 1_000_000 })
    if (status !== 200) return { found: false, sentence: `${url} answers HTTP ${status}.` }
    const samples = parseExposition(text, (name) => name === `${source.name}_count`)
    if (samples.length === 0) return { found: false, sentence: `${url} has no histogram ${source.name} yet.` }
    return { found: true, sentence: describeVariants(source, seenVariants(source, { at: 0, samples })) }
  } catch (error) {
    return { found: false, sentence: `The application cannot be read: ${(error as Error).message}.` }
  }
}

const describeQueriedVariants = (seen: ReadonlySet<string>): string =>
  seen.size === 2
    ? 'Prometheus has requests of both variants.'
    : `Prometheus has requests of the variant ${[...seen].join('')} only; ${OTHER_VARIANT}.`

function describeVariants({ name, variant }: ApiHistogram, seen: ReadonlySet<string>): string {
  if (seen.size === 2) return `${name} has requests of both variants (label ${variant}).`
  if (seen.size === 0)
    return `${name} has no label ${variant} with the values on and off, so that steps of the flag are judged by the baseline. Export the label (docs/flag.md).`
  return `${name} has requests of the variant ${[...seen].join('')} only (label ${variant}); ${OTHER_VARIANT}.`
}
