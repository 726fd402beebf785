import { connect, type Socket } from 'node:net'

/** As the driver's options name the server: several hosts are tried in turn. */
interface ServerAddress {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false
}

export interface SocketTimeout {
  /** Opens a socket for the driver. */
  readonly socket: (address: ServerAddress) => Socket
  /** A statement waits for its answer from now on, until the returned function is called. */
  readonly watchStatement: () => () => void
}

/**
 * The driver waits for an answer for ever. A way that keeps a connection open and lets no byte through would hold each
 * statement on it, and so a lease that nobody renews, until TCP gives up after many minutes, or never. So a statement
 * that has waited for `limitMs` ends the sockets of its client from which nothing has come in all that time; the driver
 * then connects anew. An idle one among them is no loss.
 */
export function createSocketTimeout(limitMs: number): SocketTimeout {
  const sockets = new Set<Socket>()
  let opened = 0
  return {
    socket({ host, port, path }) {
      const hostIndex = opened++ % host.length
      // Not connected yet: the driver hears of a failure from the socket itself, and its first bytes wait in it.
      const socket = path ? connect(path) : connect(port[hostIndex]!, host[hostIndex])
      // What the server's certificate is checked against.
      if (!path) Object.assign(socket, { host: host[hostIndex], port: port[hostIndex] })
      sockets.add(socket)
      return socket
    },
    watchStatement() {
      let timer: NodeJS.Timeout
      const arm = (): void => {
        for (const socket of sockets) if (socket.destroyed) sockets.delete(socket)
        const byteCounts = [...sockets].map((socket) => [socket, socket.bytesRead] as const)
        timer = setTimeout(() => {
          for (const [socket, bytes] of byteCounts)
            if (socket.bytesRead === bytes) socket.destroy(silenceError(limitMs))
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
