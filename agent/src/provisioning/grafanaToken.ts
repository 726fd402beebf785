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
export async function createGrafanaToken(login: GrafanaLogin, name: string): Promise<string> {
  const account =
    (await findServiceAccount(login, name)) ??
    (await sendRequest<{ id: number }>(login, 'POST', '/api/serviceaccounts', { body: { name, role: 'Viewer' } }))
  // Names of tokens are unique in an account, which keeps its earlier tokens: other agents may use them.
  const { key } = await sendRequest<{ key: string }>(login, 'POST', `/api/serviceaccounts/${account.id}/tokens`, {
    body: { name: `${name} ${new Date().toISOString()}` },
  })
  return key
}

/**
 * Deletes a service account with all its tokens.
 * @returns false if there is none of this name
 * @throws Error with Grafana's response
 */
export async function deleteServiceAccount(login: GrafanaLogin, name: string): Promise<boolean> {
  const account = await findServiceAccount(login, name)
  if (account === null) return false
  await sendRequest(login, 'DELETE', `/api/serviceaccounts/${account.id}`)
  return true
}

async function findServiceAccount(login: GrafanaLogin, name: string): Promise<{ readonly id: number } | null> {
  const { serviceAccounts } = await sendRequest<{ serviceAccounts: { id: number; name: string }[] }>(
    login,
    'GET',
    '/api/serviceaccounts/search',
    { parameters: { query: name, perpage: '100' } },
  )
  return serviceAccounts.find((candidate) => candidate.name === name) ?? null
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

async function sendRequest<T>(
  { url: base, user, password }: GrafanaLogin,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  { body, parameters }: { readonly body?: object; readonly parameters?: Record<string, string> } = {},
): Promise<T> {
  const url = joinUrl(base, path, parameters)
  const response = await fetch(splitCredentials(url).url, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
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
