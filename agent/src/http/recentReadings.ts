/** Readings that are made again only for a request that wants a newer one. */
export interface RecentReadings<T> {
  /**
   * A reading that began at most `maxAgeSeconds` ago. 0: a new one. Requests that accept the same reading share it, also while
   * it is being made; a reading that fails is not kept.
   */
  read(key: string, maxAgeSeconds: number, make: () => Promise<T>): Promise<T>
  /** Somebody changed something: the next request gets a new reading. */
  forget(): void
}

export function createRecentReadings<T>(now: () => number = () => performance.now()): RecentReadings<T> {
  const latest = new Map<string, { readonly since: number; readonly reading: Promise<T> }>()
  return {
    async read(key, maxAgeSeconds, make) {
      const known = latest.get(key)
      if (known !== undefined && maxAgeSeconds > 0 && now() - known.since <= maxAgeSeconds * 1000)
        return await known.reading
      const entry = { since: now(), reading: make() }
      latest.set(key, entry)
      try {
        return await entry.reading
      } catch (error) {
        if (latest.get(key) === entry) latest.delete(key)
        throw error
      }
    },
    forget: () => latest.clear(),
  }
}

/** The oldest answer that a request may ask for; it bounds how long an answer is of any use. */
const MAX_AGE_LIMIT_SECONDS = 10

/**
 * How old an answer may be, in seconds: `max-age` of a request's Cache-Control (RFC 9111, section 5.2.1.1), at most 10. 0 without
 * it, so that only a caller who says so gets an answer that was made for somebody else.
 */
export function acceptedAgeSeconds(cacheControl: string | undefined): number {
  const seconds = /(?:^|,)\s*max-age\s*=\s*"?(\d+)"?\s*(?:,|$)/i.exec(cacheControl ?? '')?.[1]
  return seconds === undefined ? 0 : Math.min(MAX_AGE_LIMIT_SECONDS, Number(seconds))
}
