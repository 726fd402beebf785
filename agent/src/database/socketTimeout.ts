import type { SessionStream } from './sessionStream.ts'

export interface SocketTimeout {
  /** Watches the session until it is closed. */
  readonly track: (session: SessionStream) => void
  /** A statement waits for its answer from now on, until the returned function is called. */
  readonly watchStatement: () => () => void
}

/**
 * The driver waits for an answer for ever. A way that keeps a connection open and lets no byte through would hold each
 * statement on it, and so a lease that nobody renews, until TCP gives up after many minutes, or never. So a statement
 * that has waited for `limitMs` ends the sessions of its client from which nothing has come in all that time; the driver
 * then connects anew. An idle one among them is no loss.
 */
export function createSocketTimeout(limitMs: number): SocketTimeout {
  const sessions = new Set<SessionStream>()
  return {
    track(session) {
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
    },
    watchStatement() {
      let timer: NodeJS.Timeout
      const arm = (): void => {
        const byteCounts = [...sessions].map((session) => [session, session.received()] as const)
        timer = setTimeout(() => {
          for (const [session, bytes] of byteCounts)
            if (session.received() === bytes) session.destroy(silenceError(limitMs))
          arm()
        }, limitMs).unref()
      }
      arm()
      return () => clearTimeout(timer)
    },
  }
}

function silenceError(limitMs: number): Error {
  return Object.assign(new Error(`the server has been silent for ${limitMs / 1000} s`), { code: 'ETIMEDOUT' })
}
