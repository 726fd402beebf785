import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { errorMessage } from '../database/errors.ts'
import { boundedGet } from '../boundedGet.ts'

export interface SigningKeysHealth {
  readonly name: 'grafana-keys'
  readonly healthy: boolean
  readonly detail: string
}

/** The keys that Grafana signs identities with, fetched in the background. */
export interface SigningKeyCache {
  readonly getKey: JWTVerifyGetKey
  health(): Promise<SigningKeysHealth>
}

export class SigningKeysUnavailable extends Error {}

const FETCH_BOUNDS = { milliseconds: 1_000, bytes: 1_000_000 }
const REFRESH_INTERVAL_MS = 60_000
/** Delay after a failed fetch. */
const RETRY_INTERVAL_MS = 2_000
/** An unknown key may be new: the keys are fetched again, but not for every request with an invented key. */
const UNKNOWN_KEY_INTERVAL_MS = 5_000
/** Keys that could not be fetched again for so long may have been revoked. */
const MAX_KEYS_AGE_MS = 600_000

/**
 * A request waits for a fetch only if there are no keys of the last minutes, or if its key is new and Grafana answers. While Grafana is slow
 * or unavailable, requests use the keys from before, or are refused at once.
 */
export function createSigningKeyCache(
  url: string,
  now: () => number,
  onChange: (fault: string | null) => void,
): SigningKeyCache {
  let keys: { readonly find: JWTVerifyGetKey; readonly at: number } | null = null
  let lastFetch: { readonly at: number; readonly fault: string | null } | null = null
  let inFlight: Promise<void> | null = null

  const fetchKeys = async (): Promise<void> => {
    let fault: string | null = null
    try {
      const { status, text } = await boundedGet(url, FETCH_BOUNDS)
      if (status !== 200) fault = `Grafana returned ${status} for its signing keys`
      else keys = { find: createLocalJWKSet(JSON.parse(text) as JSONWebKeySet), at: now() }
    } catch (error) {
      fault = `Grafana’s signing keys cannot be fetched (${errorMessage(error)})`
    }
    // One report for an outage, even if its text changes, such as from a refused connection to a time limit.
    if (((lastFetch?.fault ?? null) === null) !== (fault === null)) onChange(fault)
    lastFetch = { at: now(), fault }
  }
  const refresh = (): Promise<void> => (inFlight ??= fetchKeys().finally(() => (inFlight = null)))
  /** Waits for the first fetch, and after a pause in which the keys have become too old. */
  const refreshIfDue = async (): Promise<void> => {
    const hasExpired = lastFetch?.fault === null && now() - lastFetch.at > MAX_KEYS_AGE_MS
    if (lastFetch === null || hasExpired) return await refresh()
    if (now() - lastFetch.at >= (lastFetch.fault === null ? REFRESH_INTERVAL_MS : RETRY_INTERVAL_MS)) void refresh()
  }
  const currentKeys = (): JWTVerifyGetKey => {
    if (keys !== null && now() - keys.at <= MAX_KEYS_AGE_MS) return keys.find
    throw new SigningKeysUnavailable(lastFetch?.fault ?? 'Grafana’s signing keys are being fetched')
  }
  return {
    async getKey(header, token) {
      await refreshIfDue()
      try {
        return await currentKeys()(header, token)
      } catch (error) {
        const mayBeNew = lastFetch?.fault === null && now() - lastFetch.at >= UNKNOWN_KEY_INTERVAL_MS
        if (!(error instanceof errors.JWKSNoMatchingKey) || !mayBeNew) throw error
        await refresh()
        return await currentKeys()(header, token)
      }
    },
    async health() {
      await refreshIfDue()
      const fault = lastFetch?.fault ?? null
      return { name: 'grafana-keys', healthy: fault === null, detail: fault ?? 'signing keys fetched' }
    },
  }
}
