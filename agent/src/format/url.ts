/** What is wrong with the URL of an HTTP server, as the end of a sentence that never has its value; null: nothing. */
export function httpUrlFault(text: string, credentials: 'allowed' | 'refused' = 'allowed'): string | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || /\s/.test(text))
    return `must be a URL that starts with http:// or https://${encodingAdvice(text)}`
  if (url.hash !== '') return `must have no #fragment${encodingAdvice(text)}`
  if (!canDecode(url.username) || !canDecode(url.password))
    return 'has a user name or password with a % that is not an encoded character: write % as %25'
  if (credentials === 'refused' && (url.username !== '' || url.password !== ''))
    return 'must have no user name and no password'
  return null
}

/** Characters of a password end a URL early. Only their presence is reported. */
function encodingAdvice(text: string): string {
  return /[@#?%/\\\s]/.test(text.replace(/^\w+:\/\//, ''))
    ? '; in a user name or password, write / as %2F, # as %23, ? as %3F, @ as %40, : as %3A, and % as %25'
    : ''
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** A URL as people may see it: without user name, password, query and fragment, any of which can hold a secret. */
export function displayUrl(url: string): string {
  if (!URL.canParse(url)) return 'the configured URL'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/** A URL for `fetch`, which refuses credentials in it and shows them in its error, and the header that carries them. */
export function splitCredentials(url: string | URL): { url: URL; authorization: string | null } {
  const bare = new URL(url)
  if (bare.username === '' && bare.password === '') return { url: bare, authorization: null }
  const credentials = `${decodeURIComponent(bare.username)}:${decodeURIComponent(bare.password)}`
  bare.username = bare.password = ''
  return { url: bare, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** The URL of a path below a base URL, which may have a path and a query of its own. */
export function joinUrl(base: string, path: string, parameters: Readonly<Record<string, string>> = {}): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}
