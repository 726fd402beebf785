import { boundedGet } from '../boundedGet.ts'
import { displayUrl, joinUrl, splitCredentials } from '../format/url.ts'

export interface GrafanaLogin {
  /** URL of Grafana. */
  readonly url: string
  /** A user with the right to create service accounts. */
  readonly user: string
  readonly password: string
}

const REQUEST_TIMEOUT_MS = 10_000

/**
 * Creates a token of a service account with the role Viewer, and the account if it does not exist.
 * @throws Error with Grafana's response
 */
export async function createGrafanaToken({ url, user, password }: GrafanaLogin, name: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const send = <T>(path: string, body?: object, parameters?: Record<string, string>): Promise<T> =>
    sendRequest<T>(joinUrl(url, path, parameters), authorization, body)
  const { serviceAccounts } = await send<{ serviceAccounts: { id: number; name: string; role: string }[] }>(
    '/api/serviceaccounts/search',
    undefined,
    { query: name, perpage: '100' },
  )
  const account =
    serviceAccounts.find((candidate) => candidate.name === name) ??
    (await send<{ id: number }>('/api/serviceaccounts', { name, role: 'Viewer' }))
  // Names of tokens are unique in an account, which keeps its earlier tokens: other agents may use them.
  const { key } = await send<{ key: string }>(`/api/serviceaccounts/${account.id}/tokens`, {
    name: `${name} ${new Date().toISOString()}`,
  })
  return key
}

/** True if Grafana accepts the token for reading. @throws Error if Grafana does not answer */
export async function isGrafanaTokenAccepted(url: string, token: string): Promise<boolean> {
  const { status } = await boundedGet(joinUrl(url, '/api/search', { limit: '1' }), {
    milliseconds: REQUEST_TIMEOUT_MS,
    bytes: 100_000,
    headers: { authorization: `Bearer ${token}` },
  })
  return status === 200
}

async function sendRequest<T>(url: string, authorization: string, body: object | undefined): Promise<T> {
  const response = await fetch(splitCredentials(url).url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as T
  throw new Error(`Grafana returned HTTP ${response.status} for ${displayUrl(url)}: ${grafanaMessage(text)}`)
}

function grafanaMessage(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text.slice(0, 200)
  } catch {
    return text.slice(0, 200)
  }
}
