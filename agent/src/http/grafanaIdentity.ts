import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload } from 'jose'
import type { AccessLevel } from '../contract/index.ts'
import type { GrafanaConfig } from '../config.ts'

/** A Grafana identity after the verification of signature, issuer, audience, and age. */
export type GrafanaIdentity =
  | { readonly kind: 'proven'; readonly name: string; readonly level: AccessLevel }
  /** Verified, but without read access (role None). */
  | { readonly kind: 'denied'; readonly name: string }
  | { readonly kind: 'unproven'; readonly why: string }

export interface SigningKeysHealth {
  readonly name: 'grafana-keys'
  readonly healthy: boolean
  readonly detail: string
}

export interface IdentityVerifier {
  verify(header: string | undefined): Promise<GrafanaIdentity>
  /** The result of the last fetch of Grafana's keys; fetches again after a minute. */
  health(): Promise<SigningKeysHealth>
}

const LEVEL_BY_GRAFANA_ROLE: Record<string, AccessLevel> = { Viewer: 'viewer', Editor: 'editor', Admin: 'admin' }

/** Delay after a failed fetch: read access must stay fast if Grafana is unavailable. */
const FAILED_FETCH_COOLDOWN_MS = 2_000
const KEYS_MAX_AGE_MS = 60_000

/**
 * Verifies `X-Grafana-Id`, an ES256 JWT, with Grafana's keys. The algorithm is fixed, so that neither `none` nor an HMAC
 * over the public key is accepted. Grafana's `iss` is its root_url, with or without a trailing slash.
 */
export function createIdentityVerifier(grafana: GrafanaConfig, now: () => number = Date.now): IdentityVerifier {
  let lastFetch: { at: number; fault: string | null } | null = null
  const signingKeys = createRemoteJWKSet(new URL(`${grafana.url}/api/signing-keys/keys`), {
    timeoutDuration: 1_000,
    cooldownDuration: 5_000,
    [customFetch]: async (url, options) => {
      if (lastFetch?.fault && now() - lastFetch.at < FAILED_FETCH_COOLDOWN_MS)
        throw new SigningKeysUnavailable(lastFetch.fault)
      try {
        const response = await fetch(url, options)
        if (response.status !== 200)
          throw new SigningKeysUnavailable(`Grafana returned ${response.status} for its signing keys`)
        lastFetch = { at: now(), fault: null }
        return response
      } catch (error) {
        const fault =
          error instanceof SigningKeysUnavailable ? error.message : 'Grafana’s signing keys cannot be fetched'
        lastFetch = { at: now(), fault }
        throw new SigningKeysUnavailable(fault)
      }
    },
  })
  return {
    async verify(header) {
      if (!header) return toUnproven('Grafana sent no X-Grafana-Id: log in to Grafana, and keep idForwarding enabled.')
      try {
        const { payload } = await jwtVerify(
          header,
          (protectedHeader, token) => {
            if (!protectedHeader.kid) throw new errors.JWTInvalid('kid is missing')
            return signingKeys(protectedHeader, token)
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
        return parseIdentity(payload)
      } catch (error) {
        return toUnproven(explainVerificationError(error))
      }
    },
    async health() {
      if (!lastFetch || lastFetch.fault || now() - lastFetch.at > KEYS_MAX_AGE_MS)
        await signingKeys.reload().catch(() => undefined)
      if (!lastFetch) return { name: 'grafana-keys', healthy: false, detail: 'not fetched yet' }
      return {
        name: 'grafana-keys',
        healthy: !lastFetch.fault,
        detail: lastFetch.fault ?? 'signing keys fetched',
      }
    },
  }
}

class SigningKeysUnavailable extends Error {}

function parseIdentity(payload: JWTPayload): GrafanaIdentity {
  const { type, username, sub, role } = payload
  if (type !== 'user' && type !== 'service-account')
    return toUnproven('Only a Grafana user or service account can act.')
  const name = type === 'user' && typeof username === 'string' && username ? username : String(sub)
  const level =
    typeof role === 'string' && Object.hasOwn(LEVEL_BY_GRAFANA_ROLE, role) ? LEVEL_BY_GRAFANA_ROLE[role] : undefined
  return level ? { kind: 'proven', name, level } : { kind: 'denied', name }
}

function toUnproven(why: string): GrafanaIdentity {
  return { kind: 'unproven', why }
}

function explainVerificationError(error: unknown): string {
  if (error instanceof SigningKeysUnavailable || error instanceof errors.JWKSTimeout)
    return `Access is read-only because the Grafana identity cannot be verified: ${error instanceof SigningKeysUnavailable ? error.message : 'Grafana did not return its signing keys in time'}. See STI_GRAFANA_URL.`
  if (error instanceof errors.JWTExpired) return 'The Grafana identity has expired: reload the page.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss')
    return 'The Grafana identity was issued by another Grafana: STI_GRAFANA_ISSUER must be its root_url.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return 'The Grafana identity belongs to another organization: see STI_GRAFANA_AUDIENCE.'
  return 'The Grafana identity is invalid: its signature, type, or claims are wrong.'
}
