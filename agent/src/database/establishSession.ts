import type { Socket } from 'node:net'
import postgres from 'postgres'
import type { ConnectionTarget, ServerHost } from './connectionUrl.ts'
import { errorCode, isConnectionError } from './errors.ts'
import { createMessageReader, type MessageReader } from './messageReader.ts'
import { ENCRYPTION_ORDER, openSocket } from './openSocket.ts'
import type { PoolingCheck } from './poolingCheck.ts'
import { ProtocolError, queryMessage, readAuthenticationRequest, readDataRow, startupMessage } from './protocol.ts'
import { serverError } from './serverError.ts'
import { refusedStatement, SessionRefusedError } from './sessionRefused.ts'
import type { SessionProfile } from './sessionSettings.ts'
import { isTargetSession, readNewSession, setUpSession, type SimpleQuery } from './sessionSetup.ts'

export interface SessionOptions {
  readonly target: ConnectionTarget
  readonly applicationName: string
  /** Null: the session is used as it is, to find out about a pooler. */
  readonly profile: SessionProfile | null
  readonly pooling: PoolingCheck
}

/** The driver while it logs in. */
export interface LoginRelay {
  toDriver(bytes: Buffer): void
  /** What the driver writes goes to the last socket. */
  onSocket(socket: Socket): void
  /** Rejects with AbortedError when the driver gives up. */
  readonly aborted: Promise<never>
}

export interface EstablishedSession {
  readonly socket: Socket
  readonly reader: MessageReader
  /** The server's first ReadyForQuery, which the driver has not seen. */
  readonly ready: Buffer
  /** There is a pooler between the agent and the server. */
  readonly pooled: boolean
}

/** Time to set and verify the settings once the server has accepted the user. */
const SETUP_TIMEOUT_MS = 10_000
const CANNOT_CONNECT_NOW = '57P03'
const INVALID_AUTHORIZATION = '28000'

/** The server is not of the kind that `target_session_attrs` asks for. */
class WrongServerError extends Error {
  /** Handled as a lost connection: another server may take over. */
  readonly code = 'ECONNREFUSED'
}

/** The driver has given up; nothing else is tried. */
export class AbortedError extends Error {
  readonly code = 'CONNECTION_DESTROYED'
}

/** Tries the hosts of the URL in turn until one gives a session with the settings of the profile. */
export async function establishSession(options: SessionOptions, relay: LoginRelay): Promise<EstablishedSession> {
  const errors: Error[] = []
  for (const host of options.target.hosts) {
    const order = host.socketPath === null ? ENCRYPTION_ORDER[options.target.tls.mode] : [false]
    for (const encrypt of order) {
      const attempt = createAttempt(options, relay, host, encrypt)
      try {
        return await attempt.run()
      } catch (error) {
        errors.push(error as Error)
        if (!attempt.mayChangeEncryption(error as Error)) break
      } finally {
        attempt.end()
      }
    }
    if (!mayTryNextHost(errors.at(-1)!)) break
  }
  throw mergeErrors(errors)
}

interface Attempt {
  run(): Promise<EstablishedSession>
  /** True if the same host is tried again with or without TLS, as libpq does. */
  mayChangeEncryption(error: Error): boolean
  end(): void
}

function createAttempt(options: SessionOptions, relay: LoginRelay, host: ServerHost, encrypt: boolean): Attempt {
  const { target, profile, pooling } = options
  let stage: 'connect' | 'encrypt' | 'login' | 'established' = 'connect'
  let timer: NodeJS.Timeout | undefined
  let socket: Socket | null = null
  let encrypted = false

  const withDeadline = async <T>(work: Promise<T>, ms: number): Promise<T> => {
    clearTimeout(timer)
    const deadline = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(timeoutError(host, ms)), ms)))
    return await Promise.race([work, deadline, relay.aborted])
  }
  const connectAndLogIn = async () => {
    const opened = await openSocket(host, encrypt, target.tls, (next, reached) => {
      socket = next
      stage = reached
      relay.onSocket(next)
    })
    stage = 'login'
    encrypted = opened.encrypted
    const reader = createMessageReader(opened.socket)
    opened.socket.write(startupMessage(startupParameters(options)))
    opened.socket.resume()
    return { socket: opened.socket, reader, login: await logIn(reader, (bytes) => relay.toDriver(bytes)) }
  }
  const setUp = async (query: SimpleQuery, serverPid: string, majorVersion: number): Promise<boolean> => {
    const session = await readNewSession(query, majorVersion)
    if (!isTargetSession(target.targetSession, session))
      throw new WrongServerError(`${nameOf(host)} is not a server for target_session_attrs=${target.targetSession}`)
    const pooled = session.pid !== serverPid
    if (profile === null) return pooled
    if (pooled) await pooling.requireSessionMode()
    await setUpSession(query, session, profile, target, majorVersion)
    return pooled
  }
  return {
    async run() {
      const { socket: open, reader, login } = await withDeadline(connectAndLogIn(), target.connectTimeoutMs)
      const setup = setUp(createSimpleQuery(open, reader), login.pid, login.majorVersion)
      const pooled = await withDeadline(setup, SETUP_TIMEOUT_MS)
      stage = 'established'
      return { socket: open, reader, ready: login.ready, pooled }
    },
    mayChangeEncryption(error) {
      if (error instanceof postgres.PostgresError) return error.code === INVALID_AUTHORIZATION && encrypted === encrypt
      return stage === 'encrypt' && !(error instanceof AbortedError)
    },
    end() {
      clearTimeout(timer)
      if (stage !== 'established') socket?.destroy()
    },
  }
}

/** As libpq: a server that answered and refused the user ends the search, unless it only starts up. */
function mayTryNextHost(error: Error): boolean {
  if (error instanceof SessionRefusedError || error instanceof AbortedError) return false
  return !(error instanceof postgres.PostgresError) || error.code === CANNOT_CONNECT_NOW
}

function mergeErrors(errors: readonly Error[]): Error {
  const distinct = [...new Map(errors.map((error) => [error.message, error])).values()]
  const last = distinct.at(-1)!
  if (distinct.length === 1 || last instanceof SessionRefusedError || last instanceof postgres.PostgresError)
    return withConnectionCode(last)
  const message = distinct.map((error) => error.message).join('; ')
  return withConnectionCode(Object.assign(new Error(message), { code: errorCode(last) }))
}

/** A failure of TLS or of the file system on the way to the server is a lost connection as well. */
function withConnectionCode(error: Error): Error {
  if (isConnectionError(error) || error instanceof postgres.PostgresError) return error
  return Object.assign(new Error(error.message, { cause: error }), { code: 'ERR_TLS_CONNECTION' })
}

function timeoutError(host: ServerHost, ms: number): Error {
  return Object.assign(new Error(`${nameOf(host)} did not answer within ${ms / 1000} s`), { code: 'CONNECT_TIMEOUT' })
}

function nameOf({ name, port }: ServerHost): string {
  return `${name}:${port}`
}

/** A pooler passes on no other parameters. */
function startupParameters({ target, applicationName }: SessionOptions): Record<string, string> {
  const { user, database, options } = target
  const parameters = { user, database, client_encoding: 'UTF8', application_name: applicationName }
  return options === null ? parameters : { ...parameters, options }
}

interface Login {
  readonly pid: string
  readonly majorVersion: number
  readonly ready: Buffer
}

const FIRST_SUPPORTED_VERSION = 15

/** Lets the driver answer the server's requests for a password. */
async function logIn(reader: MessageReader, toDriver: (bytes: Buffer) => void): Promise<Login> {
  let accepted = false
  let pid = ''
  let majorVersion = 0
  for (;;) {
    const { type, body, bytes } = await reader.next()
    if (type === 'R' && !accepted) accepted = readAuthenticationRequest(body) === 'done'
    else if (type === 'K' && accepted && body.length >= 8) pid = String(body.readUInt32BE(0))
    else if (type === 'S' && accepted) majorVersion = readMajorVersion(body) ?? majorVersion
    else if (type === 'E') throw serverError(body)
    else if (type === 'Z' && accepted) {
      if (majorVersion < FIRST_SUPPORTED_VERSION)
        throw refusedStatement(
          majorVersion === 0
            ? 'the server does not report its PostgreSQL version'
            : `the server is PostgreSQL ${majorVersion}, and the agent needs ${FIRST_SUPPORTED_VERSION} or later`,
        )
      return { pid, majorVersion, ready: bytes }
    } else if (type !== 'N') throw new ProtocolError(`the server sent an unexpected message during the login`)
    if (type === 'R' || type === 'S' || type === 'K') toDriver(bytes)
  }
}

function readMajorVersion(body: Buffer): number | null {
  const [name, value = ''] = body.toString('utf8').split('\0')
  const major = name === 'server_version' ? /^\d+/.exec(value) : null
  return major === null ? null : Number(major[0])
}

/** Runs simple queries before the driver does. */
function createSimpleQuery(socket: Socket, reader: MessageReader): SimpleQuery {
  return async (text) => {
    socket.write(queryMessage(text))
    const rows: (string | null)[][] = []
    let failure: Error | null = null
    for (;;) {
      const { type, body } = await reader.next().catch((error: unknown) => {
        // A fatal error is followed by the end of the connection.
        throw failure ?? error
      })
      if (type === 'D') rows.push(readDataRow(body))
      else if (type === 'E') failure ??= setupError(body)
      else if (type === 'Z') {
        if (failure !== null) throw failure
        return rows
      } else if (!'TCNSI'.includes(type)) throw new ProtocolError('the server sent an unexpected message in a result')
    }
  }
}

/** What the server says about a setting is about the session; what it says about itself is not. */
function setupError(body: Buffer): Error {
  const error = serverError(body)
  return /^(53|57|58|XX)/.test(error.code) ? error : refusedStatement(error.message)
}
