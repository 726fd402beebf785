import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { AbortedError, establishSession, type EstablishedSession, type SessionOptions } from './establishSession.ts'
import { isFatal, serverError } from './serverError.ts'
import { createAnswerGuard, forEachMessage } from './protocol.ts'

/** What the driver is given as its socket. */
export interface SessionStream extends Duplex {
  /** Bytes that came from the server. */
  readonly received: () => number
}

/**
 * A session of PostgreSQL as a stream for the driver (postgres.js 3.4.9), which has no hook between connecting and the
 * first statement. The stream connects as the URL says, lets the driver log in, sets and verifies the settings of the
 * session while it holds back the server's first ReadyForQuery, and only then lets the driver work. It checks every
 * message of the server before the driver reads it. The driver's own startup packet is dropped.
 */
export function createSessionStream(options: SessionOptions): SessionStream {
  let state: 'new' | 'login' | 'open' = 'new'
  let socket: Socket | null = null
  let abort: (error: Error) => void = () => undefined

  const stream = new Duplex({
    read: () => void socket?.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (state === 'new') {
        state = 'login'
        void establish()
        done()
      } else if (socket === null || socket.destroyed) done()
      else socket.write(chunk, () => done())
    },
    final(done) {
      if (state === 'open') socket?.end(() => done())
      else {
        done()
        stream.destroy()
      }
    },
    destroy(error, done) {
      abort(new AbortedError('the agent closed the connection'))
      socket?.destroy()
      done(error)
    },
  })

  const establish = async (): Promise<void> => {
    const aborted = new Promise<never>((_, reject) => (abort = reject))
    // The session may be established before the driver gives up.
    aborted.catch(() => undefined)
    try {
      const session = await establishSession(options, {
        aborted,
        toDriver: (bytes) => void stream.push(bytes),
        onSocket: (next) => (socket = next),
      })
      if (stream.destroyed) session.socket.destroy()
      else open(session)
    } catch (error) {
      stream.destroy(error as Error)
    }
  }

  const open = (session: EstablishedSession): void => {
    state = 'open'
    const guard = createAnswerGuard()
    stream.push(session.ready)
    const end = (error: Error | null): void => {
      if (stream.readableLength === 0) stream.destroy(error ?? undefined)
      else {
        stream.once('end', () => stream.destroy(error ?? undefined))
        stream.push(null)
      }
    }
    /** Passes on the messages before one that cannot be passed on. */
    const forward = (bytes: Buffer): void => {
      let passed = 0
      try {
        forEachMessage(bytes, (type, body, message) => {
          guard(type, body)
          // The driver would keep it for its next session, and tell the statement only that the connection was closed.
          if (type === 'E' && isFatal(serverError(body))) throw serverError(body)
          passed += message.length
        })
      } catch (error) {
        stream.push(bytes.subarray(0, passed))
        end(error as Error)
        return
      }
      if (!stream.push(bytes)) session.socket.pause()
    }
    session.reader.forward(
      (bytes) => {
        if (stream.destroyed) return
        forward(bytes)
      },
      (error) => {
        if (!stream.destroyed) end(error)
      },
    )
    if (session.pooled && options.profile !== null) options.pooling.watch(stream)
  }

  return Object.assign(stream, { received: () => socket?.bytesRead ?? 0, readyState: 'open' })
}
