import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { ServerHost, SslMode, TlsTarget } from './connectionUrl.ts'
import { sslRequest } from './protocol.ts'

export interface OpenedSocket {
  readonly socket: Socket
  readonly encrypted: boolean
}

/** Why a connection is not encrypted as `sslmode` requires. */
export class TlsRequiredError extends Error {
  readonly code = 'ERR_TLS_REQUIRED'
}

const KEEPALIVE_MS = 60_000

/** Whether the first attempt on a host is encrypted, and the next one, as libpq does it. */
export const ENCRYPTION_ORDER: Readonly<Record<SslMode, readonly boolean[]>> = {
  disable: [false],
  allow: [false, true],
  prefer: [true, false],
  require: [true],
  'verify-ca': [true],
  'verify-full': [true],
}

/** Connects and encrypts. `onSocket` gets each socket, to destroy it if that takes too long. */
export async function openSocket(
  host: ServerHost,
  encrypt: boolean,
  tls: TlsTarget,
  onSocket: (socket: Socket, stage: 'connect' | 'encrypt') => void,
): Promise<OpenedSocket> {
  const plain =
    host.socketPath === null ? connect({ host: host.address, port: host.port }) : connect({ path: host.socketPath })
  plain.setNoDelay(true)
  plain.setKeepAlive(true, KEEPALIVE_MS)
  onSocket(plain, 'connect')
  await untilEvent(plain, 'connect')
  if (!encrypt) return { socket: plain, encrypted: false }
  onSocket(plain, 'encrypt')
  if (!tls.direct) {
    plain.write(sslRequest())
    // More than one byte would be unencrypted text that somebody put before the encrypted ones.
    const answer = await readOnce(plain)
    if (answer.length !== 1 || answer[0] !== 0x53) {
      if (answer.length === 1 && answer[0] === 0x4e && tls.mode === 'prefer') return { socket: plain, encrypted: false }
      throw new TlsRequiredError(`the server does not support TLS, and sslmode=${tls.mode} requires it`)
    }
  }
  const secure = connectTls(tlsOptions(host, tls, plain))
  onSocket(secure, 'encrypt')
  await untilEvent(secure, 'secureConnect')
  return { socket: secure, encrypted: true }
}

function tlsOptions({ name }: ServerHost, tls: TlsTarget, socket: Socket): ConnectionOptions {
  const root = tls.rootCertificates
  const options: ConnectionOptions = {
    socket,
    rejectUnauthorized: root !== null,
    checkServerIdentity: (_, certificate) =>
      tls.mode === 'verify-full' ? checkServerIdentity(name, certificate) : undefined,
  }
  // Read for each connection: a certificate that was renewed is used at once.
  if (root !== null && root !== 'system') options.ca = readFileSync(root)
  if (tls.certificate !== null) options.cert = readFileSync(tls.certificate)
  if (tls.key !== null) options.key = readFileSync(tls.key)
  if (tls.keyPassword !== null) options.passphrase = tls.keyPassword
  if (tls.serverNameIndication && isIP(name) === 0) options.servername = name
  if (tls.minVersion !== null) options.minVersion = tls.minVersion
  if (tls.maxVersion !== null) options.maxVersion = tls.maxVersion
  if (tls.direct) options.ALPNProtocols = ['postgresql']
  return options
}

function untilEvent(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return settle(socket, (done) => {
    socket.once(event, done)
    return () => socket.off(event, done)
  })
}

function readOnce(socket: Socket): Promise<Buffer> {
  return settle<Buffer>(socket, (done) => {
    socket.once('data', done)
    return () => socket.off('data', done)
  })
}

/** Waits for an event, an error, or the end of the socket. */
function settle<T>(socket: Socket, listen: (done: (value: T) => void) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      stop()
      reject(describeError(error))
    }
    const closed = (): void => fail(closedError())
    const remove = listen((value) => {
      stop()
      resolve(value)
    })
    const stop = (): void => {
      remove()
      socket.off('error', fail)
      socket.off('close', closed)
      // An error after the attempt has ended has nobody to tell.
      socket.on('error', () => undefined)
    }
    socket.on('error', fail)
    socket.on('close', closed)
  })
}

export function closedError(): Error {
  return Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })
}

/** A name with several addresses fails with one error for each, and without a message of its own. */
function describeError(error: Error): Error {
  if (!(error instanceof AggregateError)) return error
  const errors = error.errors as (Error & { code?: string })[]
  return Object.assign(new Error(errors.map(({ message }) => message).join('; ')), {
    code: errors.at(-1)?.code ?? 'ECONNREFUSED',
  })
}
