import { timingSafeEqual } from 'node:crypto'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OpenFeature } from '@openfeature/server-sdk'

export interface FlagClientOptions {
  readonly url: string
  readonly token: string
  readonly key: string
  /** Name of this instance. The agent reports which instances have seen a change. */
  readonly client: string
}

/** How long a request waits for the flag. The provider's own timeout has no effect. */
const FLAG_TIMEOUT_MS = 250

/** The value for one user, and the variant that the agent named; undefined: the default, because it did not respond. */
export interface FlagEvaluation {
  readonly on: boolean
  readonly variant: 'on' | 'off' | undefined
}

/** Evaluates the flag at the agent. The flag is off if the agent does not respond within 250 ms or returns an error. */
export async function connectFlag(options: FlagClientOptions): Promise<(user: string) => Promise<FlagEvaluation>> {
  const provider = new OFREPProvider({
    baseUrl: options.url,
    headers: [
      ['Authorization', `Bearer ${options.token}`],
      ['X-Sti-Client', options.client],
    ],
    fetchImplementation: (request: Request) => fetch(request, { signal: AbortSignal.timeout(FLAG_TIMEOUT_MS) }),
  })
  await OpenFeature.setProviderAndWait(provider)
  OpenFeature.setLogger({
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  })
  const client = OpenFeature.getClient()
  return async (user) => {
    const { value, variant } = await client.getBooleanDetails(options.key, false, { targetingKey: user })
    return { on: value, variant: variant === 'on' || variant === 'off' ? variant : undefined }
  }
}

/**
 * `X-Sti-Flag: on|off` sets the flag for one request if the caller has the flag token. A validation compares both
 * responses this way. Null without a valid override.
 */
export function flagOverride(header: (name: string) => string | undefined, token: string): boolean | null {
  const requested = header('x-sti-flag')
  if (requested !== 'on' && requested !== 'off') return null
  const given = Buffer.from(header('authorization') ?? '')
  const expected = Buffer.from(`Bearer ${token}`)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  return requested === 'on'
}
