import { errors, jwtVerify, type JWTPayload } from 'jose'
import type { AccessLevel } from '../contract/index.ts'
import type { GrafanaConfig } from '../config.ts'
import { joinUrl } from '../format/url.ts'
import { createSigningKeyCache, SigningKeysUnavailable, type SigningKeysHealth } from './signingKeyCache.ts'

/** A Grafana identity after the verification of signature, issuer, audience, and age. */
export type GrafanaIdentity =
  | { readonly kind: 'proven'; readonly name: string; readonly level: AccessLevel }
  /** Verified, but without read access (role None). */
  | { readonly kind: 'denied'; readonly name: string }
  | { readonly kind: 'unproven'; readonly why: string }

export interface IdentityVerifier {
  verify(header: string | undefined): Promise<GrafanaIdentity>
  /** The result of the last fetch of Grafana's keys. */
  health(): Promise<SigningKeysHealth>
}

const LEVEL_BY_GRAFANA_ROLE: Record<string, AccessLevel> = { Viewer: 'viewer', Editor: 'editor', Admin: 'admin' }

/** Grafana issues identities for 10 minutes. */
const MAX_TOKEN_AGE = '15m'

/**
 * Verifies `X-Grafana-Id`, an ES256 JWT, with Grafana's keys. The algorithm is fixed, so that neither `none` nor an HMAC
 * over the public key is accepted. Grafana's `iss` is its root_url, with or without a trailing slash.
 */
export function createIdentityVerifier(
  grafana: GrafanaConfig,
  now: () => number,
  onKeysChange: (fault: string | null) => void,
): IdentityVerifier {
  const signingKeys = createSigningKeyCache(joinUrl(grafana.url, '/api/signing-keys/keys'), now, onKeysChange)
  return {
    async verify(header) {
      if (!header) return toUnproven('Grafana sent no X-Grafana-Id: log in to Grafana, and keep idForwarding enabled.')
      try {
        const { payload } = await jwtVerify(
          header,
          (protectedHeader, token) => {
            if (!protectedHeader.kid) throw new errors.JWTInvalid('kid is missing')
            return signingKeys.getKey(protectedHeader, token)
          },
          {
            algorithms: ['ES256'],
            issuer: [grafana.issuer, `${grafana.issuer}/`],
            audience: grafana.audience,
            typ: 'jwt',
            requiredClaims: ['exp', 'iat', 'sub'],
            clockTolerance: 5,
            maxTokenAge: MAX_TOKEN_AGE,
            currentDate: new Date(now()),
          },
        )
        return parseIdentity(payload)
      } catch (error) {
        return toUnproven(explainVerificationError(error))
      }
    },
    health: signingKeys.health,
  }
}

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
  if (error instanceof SigningKeysUnavailable)
    return `Access is read-only because the Grafana identity cannot be verified: ${error.message}. See STI_GRAFANA_URL.`
  if (error instanceof errors.JWTExpired) return 'The Grafana identity has expired: reload the page.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss')
    return 'The Grafana identity was issued by another Grafana: STI_GRAFANA_ISSUER must be its root_url.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
    return 'The Grafana identity belongs to another organization: see STI_GRAFANA_AUDIENCE.'
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iat')
    return 'The Grafana identity was issued in the future: set the clocks of Grafana and of the agent.'
  return 'The Grafana identity is invalid: its signature, type, or claims are wrong.'
}
