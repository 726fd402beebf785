import { formatBytes } from './format/format.ts'
import { displayUrl, splitCredentials } from './format/url.ts'

/** A GET request without redirects, bounded in time and size. Resolves to status, headers and text. */
export async function boundedGet(
  url: string,
  bounds: { readonly milliseconds: number; readonly bytes: number; readonly headers?: Record<string, string> },
): Promise<{ status: number; headers: Headers; text: string }> {
  const { url: address, authorization } = splitCredentials(url)
  const headers = new Headers(bounds.headers)
  if (authorization !== null) headers.set('authorization', authorization)
  const location = displayUrl(url)
  try {
    const response = await fetch(address, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(bounds.milliseconds),
    })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw new Error('it answers with a redirect: use the final URL')
    }
    const { status, headers: responseHeaders } = response
    return { status, headers: responseHeaders, text: await readBoundedText(response, bounds.bytes) }
  } catch (error) {
    throw new Error(`${location}: ${describeFailure(error, bounds.milliseconds)}`)
  }
}

async function readBoundedText(response: Response, bytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength
    if (length > bytes) throw new Error(`its response is larger than ${formatBytes(bytes)}`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function describeFailure(error: unknown, milliseconds: number): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${milliseconds} ms`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const { code } = cause as { code?: string }
  if (code === undefined) return cause.message
  return `${NETWORK_FAILURES[code] ?? cause.message} (${code})`
}

/** What a code of the network says of the address. The others have a message of their own, such as those of TLS. */
const NETWORK_FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed before the answer',
  UND_ERR_SOCKET: 'the connection was closed before the answer',
  EPIPE: 'the connection was closed before the answer',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  ETIMEDOUT: 'the host does not accept a connection',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not accept a connection',
}
