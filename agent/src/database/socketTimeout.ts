import { connect, type Socket } from 'node:net'

/** The server as in the driver's options; several hosts are tried in turn. */
interface ServerAddress {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false
}

export interface SocketTimeout {
  /** Opens a socket for the driver. */
  readonly socket: (address: ServerAddress) => Socket
  /** Marks that a statement waits for its result, until the returned function is called. */
  readonly watchStatement: () => () => void
}

/**
 * The driver waits for a result without a limit. A network that keeps a connection open but drops all packets would
 * block each of its statements, and prevent the renewal of a lease, until TCP times out after many minutes or never.
 * Therefore, a statement that has waited for `limitMs` destroys the client's sockets that received nothing during
 * that time, and the driver reconnects. Destroying an idle socket does no harm.
 */
export function createSocketTimeout(limitMs: number): SocketTimeout {
  const sockets = new Set<Socket>()
  let opened = 0
  return {
    socket({ host, port, path }) {
      const hostIndex = opened++ % host.length
      // Before it is connected, the socket itself reports a failure to the driver and buffers its first bytes.
      const socket = path ? connect(path) : connect(port[hostIndex]!, host[hostIndex])
      // The name that the server's certificate is checked against.
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
