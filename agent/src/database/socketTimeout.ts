import type { SessionStream } from './sessionStream.ts'

export interface SocketTimeout {
  /** Watches the session until it is closed. */
  readonly track: (session: SessionStream) => void
  /** Marks that a statement waits for its result, until the returned function is called. */
  readonly watchStatement: () => () => void
}

/**
 * The driver waits for a result without a limit. A network that keeps a connection open but drops all packets would
 * block each of its statements, and prevent the renewal of a lease, until TCP times out after many minutes or never.
 * Therefore, a statement that has waited for `limitMs` destroys the client's sessions that received nothing during
 * that time, and the driver reconnects. Destroying an idle session does no harm.
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
