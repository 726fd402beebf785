import type { Context, MiddlewareHandler } from 'hono'
import type { Config } from '../config.ts'
import type { AccessLevel } from '../contract/index.ts'
import { lowerLevel, type Caller } from '../rights/caller.ts'
import { createIdentityVerifier } from './grafanaIdentity.ts'
import type { SigningKeysHealth } from './signingKeyCache.ts'
import { Refusal } from './problem.ts'
import { createHash, timingSafeEqual } from 'node:crypto'

export interface AuthenticationEnv {
  Variables: { caller: Caller }
}

export interface Authentication {
  /** Accepts a request only with the credential of its path; under /v1 it sets `caller`. */
  readonly middleware: MiddlewareHandler<AuthenticationEnv>
  /** Health of Grafana's signing keys; null without STI_GRAFANA_URL. */
  signingKeysHealth(): Promise<SigningKeysHealth | null>
}

type CredentialHolder = { readonly digest: Buffer; readonly level: AccessLevel; readonly personal: string | null }

/**
 * Checks the credential of each path (docs/security.md). Other identity headers are ignored: X-Grafana-Context,
 * X-Grafana-User, and X-Forwarded-* can be forged through Grafana's proxy.
 */
export function createAuthentication(
  config: Config,
  {
    now = Date.now,
    onKeysChange = () => undefined,
  }: {
    readonly now?: () => number
    /** Called when Grafana's signing keys become unavailable, with the reason, and with null when they are back. */
    readonly onKeysChange?: (fault: string | null) => void
  } = {},
): Authentication {
  const { viewer, editor, admin } = config.tokens
  const holders: CredentialHolder[] = [
    ...Object.entries({ viewer, editor, admin }).map(([level, token]) => ({
      digest: digestCredential(token),
      level: level as AccessLevel,
      personal: null,
    })),
    ...config.personalTokens.map(({ name, level, token }) => ({
      digest: digestCredential(token),
      level,
      personal: name,
    })),
  ]
  const flagCredentials = [{ digest: digestCredential(config.tokens.flag) }]
  const metricsCredentials =
    config.tokens.metrics === null ? null : [{ digest: digestCredential(config.tokens.metrics) }]
  const { alertmanager: alertmanagerToken } = config.tokens
  const alertmanagerCredentials = alertmanagerToken == null ? null : [{ digest: digestCredential(alertmanagerToken) }]
  const identityVerifier = config.grafana ? createIdentityVerifier(config.grafana, now, onKeysChange) : null

  async function authenticateCaller(c: Context): Promise<Caller> {
    const token = parseBearerToken(c.req.header('authorization'))
    const holder = token === null ? null : findCredential(holders, token)
    if (token === null)
      throw new Refusal('forbidden', 'The request has no token: send one for /v1 as Authorization: Bearer.')
    if (!holder) throw new Refusal('forbidden', 'This token is not valid for /v1 of this agent: send a valid one.')
    if (holder.personal !== null)
      return { name: holder.personal, level: holder.level, via: 'token', mayAct: true, why: null }
    if (!identityVerifier)
      return readOnlyCaller('Grafana has read-only access: set STI_GRAFANA_URL on the agent to let people act.')
    const identity = await identityVerifier.verify(c.req.header('x-grafana-id'))
    switch (identity.kind) {
      case 'denied':
        throw new Refusal('forbidden', `${identity.name} has no Grafana role with access to this agent.`)
      case 'unproven':
        return readOnlyCaller(identity.why)
      case 'proven':
        return {
          name: identity.name,
          level: lowerLevel(holder.level, identity.level),
          via: 'grafana',
          mayAct: true,
          why: null,
        }
    }
  }

  return {
    async middleware(c, next) {
      switch (classifyPath(c.req.path)) {
        case 'open':
          break
        case 'api': {
          const caller = await authenticateCaller(c)
          if (!caller.mayAct && c.req.method !== 'GET' && c.req.method !== 'HEAD')
            throw new Refusal('forbidden', caller.why ?? 'This caller has read-only access.')
          c.set('caller', caller)
          break
        }
        // The signature covers the body, so routes/webhooks.ts verifies it.
        case 'signed':
          break
        case 'alertmanager': {
          const token = parseBearerToken(c.req.header('authorization'))
          if (alertmanagerCredentials === null)
            throw new Refusal(
              'not-found',
              'This agent does not accept Alertmanager webhooks: set STI_ALERTMANAGER_TOKEN.',
            )
          if (!token || !findCredential(alertmanagerCredentials, token))
            throw new Refusal('forbidden', 'Send the Alertmanager token as Authorization: Bearer.')
          break
        }
        case 'flag': {
          const token = parseBearerToken(c.req.header('authorization')) ?? c.req.header('x-api-key')
          if (!token || !findCredential(flagCredentials, token))
            throw new Refusal('forbidden', 'Send the flag token as Authorization: Bearer or X-API-Key.')
          break
        }
        case 'metrics': {
          const token = parseBearerToken(c.req.header('authorization'))
          if (metricsCredentials && (!token || !findCredential(metricsCredentials, token)))
            throw new Refusal('forbidden', 'Send the metrics token as Authorization: Bearer.')
          break
        }
        case 'unknown':
          throw new Refusal('not-found', 'This path does not exist.')
      }
      await next()
    },
    signingKeysHealth: async () => (identityVerifier ? identityVerifier.health() : null),
  }
}

function readOnlyCaller(why: string): Caller {
  return { name: 'someone in Grafana', level: 'viewer', via: 'grafana', mayAct: false, why }
}

/** A path that is not listed is denied, whatever routes exist. */
function classifyPath(path: string): 'open' | 'signed' | 'alertmanager' | 'api' | 'flag' | 'metrics' | 'unknown' {
  if (path === '/livez' || path === '/readyz') return 'open'
  if (path === '/metrics') return 'metrics'
  if (path === '/v1/webhooks/grafana') return 'signed'
  if (path === '/v1/webhooks/alertmanager') return 'alertmanager'
  if (path.startsWith('/v1/webhooks')) return 'unknown'
  if (path === '/v1' || path.startsWith('/v1/')) return 'api'
  if (path.startsWith('/ofrep/')) return 'flag'
  return 'unknown'
}

/** The digest that is compared instead of the text, so that timing reveals neither length nor prefix. */
function digestCredential(credential: string): Buffer {
  return createHash('sha256').update(credential, 'utf8').digest()
}

/** The entry of the presented credential. Compares all entries, so that timing does not reveal a match. */
function findCredential<T extends { readonly digest: Buffer }>(known: readonly T[], presented: string): T | null {
  const presentedDigest = digestCredential(presented)
  let match: T | null = null
  for (const entry of known) if (timingSafeEqual(entry.digest, presentedDigest)) match = entry
  return match
}

/** The token of `Authorization: Bearer …`, or null. */
function parseBearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1] ?? null
}
