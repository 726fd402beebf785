/** Spans of time that requests are counted over, in seconds: what is gross shows in the first, what is slight in the last. */
const WINDOWS_SECONDS = [10, 60] as const
/**
 * How likely chance alone may explain what was counted and it is still held for a fault. It is asked twice a second, of
 * counts that overlap: about one independent question in ten seconds.
 */
export const MAX_CHANCE_PROBABILITY = 1e-4
/** Fewer requests than this do not show that all is well. */
export const MIN_REQUESTS = 20
/** At every look for so long: three looks, so that one burst at one scrape is no fault. */
export const COUNTED_DEBOUNCE_MS = 1_000
/** For what PromQL says, which is read each five seconds: two readings. */
export const PROMQL_DEBOUNCE_MS = 5_500

/** No further back than what is under way began: what happened before is not its fault. */
export function windowSeconds({ activeSeconds }: { readonly activeSeconds: number }): number[] {
  return WINDOWS_SECONDS.map((seconds) => Math.min(seconds, activeSeconds))
}
