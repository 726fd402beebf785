/** The server sent what PostgreSQL does not send, or more than the agent accepts. */
export class ProtocolError extends Error {
  /** Handled as a lost connection. */
  readonly code = 'EPROTO'
}

/** Bounds of what a server may make this process hold. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024
const MAX_ANSWER_BYTES = 256 * 1024 * 1024
const MAX_ANSWER_ROWS = 2_000_000
const HEADER_BYTES = 5

/** Cuts the bytes of a server into whole messages: one byte for the type, four for the length, and the body. */
export function createMessageFramer(): { add(chunk: Buffer): Buffer } {
  let pieces: Buffer[] = []
  let held = 0
  let needed = 0
  return {
    /** The messages that are complete now, one after the other; the rest is held. */
    add(chunk) {
      pieces.push(chunk)
      held += chunk.length
      if (held < needed) return Buffer.alloc(0)
      const bytes = pieces.length === 1 ? chunk : Buffer.concat(pieces, held)
      let end = 0
      needed = HEADER_BYTES
      while (bytes.length - end >= HEADER_BYTES) {
        const length = bytes.readUInt32BE(end + 1) + 1
        if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES)
          throw new ProtocolError(`a message of ${length} bytes is not one of PostgreSQL`)
        if (bytes.length - end < length) {
          needed = length
          break
        }
        end += length
      }
      const rest = bytes.subarray(end)
      pieces = rest.length === 0 ? [] : [rest]
      held = rest.length
      return bytes.subarray(0, end)
    },
  }
}

/** Calls the function for each of several whole messages. */
export function forEachMessage(bytes: Buffer, handle: (type: string, body: Buffer, message: Buffer) => void): void {
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + bytes.readUInt32BE(start + 1)
    handle(String.fromCharCode(bytes[start]!), bytes.subarray(start + HEADER_BYTES, end), bytes.subarray(start, end))
    start = end
  }
}

/**
 * Checks the messages of a session that is ready. The driver (postgres.js 3.4.9) reads them without checks: what is
 * malformed or too much can end the process there.
 */
export function createAnswerGuard(): (type: string, body: Buffer) => void {
  let bytes = 0
  let rows = 0
  return (type, body) => {
    bytes += body.length
    if (type === 'D') rows++
    if (bytes > MAX_ANSWER_BYTES || rows > MAX_ANSWER_ROWS)
      throw new ProtocolError('the result of a statement is larger than the agent accepts')
    const isValid = ANSWER_MESSAGES[type]
    if (isValid === undefined)
      throw new ProtocolError(`a message of type ${printable(type)} is not expected in a result`)
    if (!isValid(body)) throw new ProtocolError(`a message of type ${type} is malformed`)
    if (type === 'Z') bytes = rows = 0
  }
}

const isEmpty = (body: Buffer): boolean => body.length === 0

/** Ends of zero-terminated texts. COPY, cursors and function calls are missing, since the agent uses none. */
const ANSWER_MESSAGES: Readonly<Record<string, ((body: Buffer) => boolean) | undefined>> = {
  1: isEmpty,
  2: isEmpty,
  I: isEmpty,
  n: isEmpty,
  Z: (body) => body.length === 1 && 'ITE'.includes(String.fromCharCode(body[0]!)),
  C: (body) => body.length > 0 && body.indexOf(0) === body.length - 1,
  S: (body) => body.length > 1 && body.at(-1) === 0 && body.indexOf(0) < body.length - 1,
  A: (body) => body.length >= 6 && body.at(-1) === 0 && body.indexOf(0, 4) < body.length - 1,
  E: isFieldList,
  N: isFieldList,
  D: isDataRow,
  T: isRowDescription,
  t: (body) => body.length >= 2 && body.length === 2 + 4 * body.readUInt16BE(0),
}

function isFieldList(body: Buffer): boolean {
  let at = 0
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1)
    if (end === -1) return false
    at = end + 1
  }
  return at === body.length - 1
}

function isDataRow(body: Buffer): boolean {
  if (body.length < 2) return false
  let at = 2
  for (let column = body.readUInt16BE(0); column > 0; column--) {
    if (at + 4 > body.length) return false
    const length = body.readInt32BE(at)
    if (length < -1) return false
    at += 4 + Math.max(0, length)
  }
  return at === body.length
}

const COLUMN_DESCRIPTION_BYTES = 18

function isRowDescription(body: Buffer): boolean {
  if (body.length < 2) return false
  let at = 2
  for (let column = body.readUInt16BE(0); column > 0; column--) {
    const end = body.indexOf(0, at)
    if (end === -1) return false
    at = end + 1 + COLUMN_DESCRIPTION_BYTES
  }
  return at === body.length
}

/** More iterations of a password hash than this would stop the process for seconds. */
const MAX_SCRAM_ITERATIONS = 1_000_000

/** The kind of an authentication request. @throws ProtocolError if the agent cannot answer it */
export function readAuthenticationRequest(body: Buffer): 'done' | 'request' {
  const kind = body.length >= 4 ? body.readUInt32BE(0) : -1
  const text = body.toString('latin1', 4)
  if (kind === 0) return 'done'
  if (kind === 3 || (kind === 5 && body.length === 8) || (kind === 12 && text.startsWith('v='))) return 'request'
  if (kind === 10 && text.split('\0').includes('SCRAM-SHA-256')) return 'request'
  const iterations = kind === 11 ? /^r=[^,]+,s=[A-Za-z0-9+/=]+,i=(\d{1,9})(,|$)/.exec(text) : null
  if (iterations !== null && Number(iterations[1]) >= 1 && Number(iterations[1]) <= MAX_SCRAM_ITERATIONS)
    return 'request'
  throw new ProtocolError(
    'the server requires an authentication method that the agent does not support: use scram-sha-256, md5, password, cert or trust in pg_hba.conf',
  )
}

/** What a person or an error class needs of an ErrorResponse, under the names of the driver. */
export function readErrorFields(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = { severity: 'FATAL', code: 'XX000', message: 'no message' }
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const end = body.indexOf(0, at + 1)
    if (end === -1) break
    const name = ERROR_FIELDS[String.fromCharCode(body[at]!)]
    if (name !== undefined) fields[name] = body.toString('utf8', at + 1, end)
    at = end + 1
  }
  return fields
}

const ERROR_FIELDS: Readonly<Record<string, string | undefined>> = {
  // Not localized, unlike S.
  V: 'severity',
  C: 'code',
  M: 'message',
  D: 'detail',
  H: 'hint',
}

/** The values of a DataRow as texts. */
export function readDataRow(body: Buffer): (string | null)[] {
  if (!isDataRow(body)) throw new ProtocolError('a message of type D is malformed')
  const values: (string | null)[] = []
  let at = 2
  for (let column = body.readUInt16BE(0); column > 0; column--) {
    const length = body.readInt32BE(at)
    at += 4
    values.push(length === -1 ? null : body.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  return values
}

/** A simple query. */
export function queryMessage(text: string): Buffer {
  return withLength('Q', Buffer.from(`${text}\0`))
}

const PROTOCOL_VERSION = 3 << 16

export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const body = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')
  const version = Buffer.alloc(4)
  version.writeInt32BE(PROTOCOL_VERSION)
  return withLength('', Buffer.concat([version, Buffer.from(`${body}\0`)]))
}

const SSL_REQUEST_CODE = 80_877_103

export function sslRequest(): Buffer {
  const code = Buffer.alloc(4)
  code.writeInt32BE(SSL_REQUEST_CODE)
  return withLength('', code)
}

function withLength(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body])
}

function printable(type: string): string {
  return /^[A-Za-z0-9]$/.test(type) ? type : String(type.charCodeAt(0))
}
