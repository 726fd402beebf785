import { displayUrl } from '../format/url.ts'
import { boundedGet } from '../boundedGet.ts'
import { parseExposition } from './exposition.ts'
import { seenVariants } from './seenVariants.ts'
import type { ApiHistogram } from './signalConfig.ts'

/** What the metrics of the application say about the variants of the flag, as one sentence. */
export interface VariantCheck {
  /** The histogram exists. A label that is missing is no fault: then the baseline decides. */
  readonly found: boolean
  readonly sentence: string
}

/** Reads the histogram once, for at most 2 s. */
export async function checkVariants(source: ApiHistogram): Promise<VariantCheck> {
  const url = displayUrl(source.url)
  try {
    const { status, text } = await boundedGet(source.url, { milliseconds: 2_000, bytes: 1_000_000 })
    if (status !== 200) return { found: false, sentence: `${url} answers HTTP ${status}.` }
    const samples = parseExposition(text, (name) => name === `${source.name}_count`)
    if (samples.length === 0) return { found: false, sentence: `${url} has no histogram ${source.name} yet.` }
    return { found: true, sentence: describeVariants(source, seenVariants(source, { at: 0, samples })) }
  } catch (error) {
    return { found: false, sentence: `${url} cannot be read: ${(error as Error).message}.` }
  }
}

function describeVariants({ name, variant }: ApiHistogram, seen: ReadonlySet<string>): string {
  if (seen.size === 2) return `${name} has requests of both variants (label ${variant}).`
  if (seen.size === 0)
    return `${name} has no label ${variant} with the values on and off, so that steps of the flag are judged by the baseline. Export the label (docs/flag.md).`
  return `${name} has requests of the variant ${[...seen].join('')} only (label ${variant}); the other one appears once the flag is on for a part of the users.`
}
