import { createServer, type Server } from 'node:net'

export interface PortReservations {
  /** Reserves the wanted port, or the next free one with a message, until `release`. */
  reserve(wanted: number, user: string): Promise<number>
  /** Frees ports for the processes that listen on them. */
  release(...ports: readonly number[]): Promise<void>
}

/**
 * All addresses must be known before the first process starts, and the last process starts a minute later. Until then
 * this process listens on the ports, so that no other run takes one.
 */
export function createPortReservations(showMessage: (message: string) => void): PortReservations {
  const held = new Map<number, Server>()
  return {
    async reserve(wanted, user) {
      for (let candidate = wanted; candidate < wanted + 200; candidate++) {
        if (held.has(candidate)) continue
        const server = await tryListen(candidate)
        if (server === null) continue
        held.set(candidate, server)
        if (candidate !== wanted) showMessage(`Port ${wanted} is in use. ${user} uses port ${candidate}.`)
        return candidate
      }
      throw new Error(`${user} cannot start: ports ${wanted} to ${wanted + 199} are all in use. Free one of them.`)
    },
    async release(...ports) {
      for (const port of ports) {
        const server = held.get(port)
        if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
        held.delete(port)
      }
    },
  }
}

/** Null if the port is in use. */
function tryListen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    // An early client, such as an agent that probes Grafana, must see a closed connection.
    const server = createServer((socket) => void socket.destroy())
    server.unref()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}
