import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload } from 'jose'
import type { Level } from '../contract/index.ts'
import type { GrafanaConfig } from '../config.ts'

/** A Grafana identity whose signature, issuer, audience and age were verified. */
export type Identity =
  | { readonly kind: 'proven'; readonly name: string; readonly level: Level }
  /** Proven to be somebody who may not even read (role None). */
  | { readonly kind: 'denied'; readonly name: string }
  | { readonly kind: 'unproven'; readonly why: string }

export interface KeysHealth {
  readonly name: 'grafana-keys'
  readonly healthy: boolean
  readonly detail: string
}

export interface Identities {
  verify(header: string | undefined): Promise<Identity>
  /** Whether the keys of Grafana can be fetched; asks again when the last answer is older than a minute. */
  health(): Promise<KeysHealth>
}

const ROLES: Record<string, Level> = { Viewer: 'viewer', Editor: 'editor', Admin: 'admin' }

/** After a failed fetch nobody waits for the next one sooner than this: reading must stay quick without Grafana. */
const FAILED_PAUSE_MS = 2_000
const FRESH_MS = 60_000

/**
 * Verifies `X-Grafana-Id`: an ES256 JWT with Grafana's own keys. The algorithm is fixed, so that neither `none` nor an
 * HMAC over the public key passes. Grafana's `iss` is its root_url, with or without the slash at the end.
 */
export function createIdentities(grafana: GrafanaConfig, now: () => number = Date.now): Identities {
  let last: { at: number; fault: string | null } | null = null
  const keys = createRemoteJWKSet(new URL(`${grafana.url}/api/signing-keys/keys`), {
    timeoutDuration: 1_000,
    cooldownDuration: 5_000,
    [customFetch]: async (url, options) => {
      if (last?.fault && now() - last.at < FAILED_PAUSE_MS) throw new KeysAway(last.fault)
      try {
        const response = await fetch(url, options)
        if (response.status !== 200) throw new KeysAway(`Grafana answered ${response.status} for its signing keys`)
        last = { at: now(), fault: null }
        return response
      } catch (error) {
        const fault = error instanceof KeysAway ? error.message : 'Grafana cannot be reached for its signing keys'
        last = { at: now(), fault }
        throw new KeysAway(fault)
      }
    },
  })
  return {
    async verify(header) {
      if (!header) return unproven('Grafana sent no X-Grafana-Id: log in to Grafana, and keep idForwarding on.')
      try {
        const { payload } = await jwtVerify(
          header,
          (protectedHeader, token) => {
            if (!protectedHeader.kid) throw new errors.JWTInvalid('kid is missing')
            return keys(protectedHeader, token)
          },
          {
            algorithms: ['ES256'],
            issuer: [grafana.issuer, `${grafana.issuer}/`],
            audience: grafana.audience,
            typ: 'jwt',
            requiredClaims: ['exp', 'iat', 'sub'],
            clockTolerance: 5,
            currentDate: new Date(now()),
          },
        )
        return identityOf(payload)
      } catch (error) {
        return unproven(sentenceOf(error))
      }
    },
    async health() {
      if (!last || last.fault || now() - last.at > FRESH_MS) await keys.reload().catch(() => undefined)
      if (!last) return { name: 'grafana-keys', healthy: false, detail: 'not fetched yet' }
      return { name: 'grafana-keys', healthy: !last.fault, detail: last.fault ?? 'the signing keys were fetched' }
    },
  }
}

class KeysAway extends Error {}

function identityOf(payload: JWTPayload): Identity {
  const { type, username, sub, role } = payload
  if (type !== 'user' && type !== 'service-account')
    return unproven('Only a user or a service account of Grafana may act.')
  const name = type === 'user' && typeof username === 'string' && username ? username : String(sub)
  const level = typeof role === 'string' && Object.hasOwn(ROLES, role) ? ROLES[role] : undefined
  return level ? { kind: 'proven', name, level } : { kind: 'denied', name }
}

function unproven(why: string): Identity {
  return { kind: 'unproven', why }
}

function sentenceOf(error: unknown): string {
  if (error instanceof KeysAway || error instanceof errors.JWKSTimeout)
    return `The identity cannot be verified, so this may only read: ${error instanceof KeysAway ? error.message : 'Grafana is too slow with its signing keys'}. See STI_GRAFANA_URL.`
  if (error instanceof errors.JWTExpired) return 'The Grafana identity has expired: reload the page.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss')
    return 'The Grafana identity was issued by another Grafana: STI_GRAFANA_ISSUER must be its root_url.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return 'The Grafana identity is of another organization: see STI_GRAFANA_AUDIENCE.'
  return 'The Grafana identity is not valid: its signature, type or claims are wrong.'
}
