import { timingSafeEqual } from 'node:crypto'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OpenFeature } from '@openfeature/server-sdk'

export interface FlagOptions {
  /** The agent's address. */
  readonly url: string
  readonly token: string
  readonly key: string
  /** This instance, so that the agent can tell whether every one of them has seen a change. */
  readonly client: string
}

/** How long a request may wait for the flag. The provider's own time-out has no effect. */
const BOUND_MS = 250

/** Evaluates the flag at the agent. No answer within 250 ms, or any fault, is off. */
export async function openFlag(options: FlagOptions): Promise<(user: string) => Promise<boolean>> {
  const provider = new OFREPProvider({
    baseUrl: options.url,
    headers: [
      ['Authorization', `Bearer ${options.token}`],
      ['X-Sti-Client', options.client],
    ],
    fetchImplementation: (request: Request) => fetch(request, { signal: AbortSignal.timeout(BOUND_MS) }),
  })
  await OpenFeature.setProviderAndWait(provider)
  OpenFeature.setLogger({
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  })
  const client = OpenFeature.getClient()
  return (user) => client.getBooleanValue(options.key, false, { targetingKey: user })
}

/**
 * `X-Sti-Flag: on|off` decides for one request, if the caller holds the flag token: a validation compares both
 * answers that way.
 */
export function forcedFlag(header: (name: string) => string | undefined, token: string): boolean | null {
  const wish = header('x-sti-flag')
  if (wish !== 'on' && wish !== 'off') return null
  const given = Buffer.from(header('authorization') ?? '')
  const expected = Buffer.from(`Bearer ${token}`)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  return wish === 'on'
}
