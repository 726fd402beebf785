import { createServer, type Server } from 'node:net'

export interface PortReservations {
  /** The wanted port, or where it is taken the next free one, and tells. It is kept from others until `free`. */
  reserve(wanted: number, what: string): Promise<number>
  /** Gives ports up, for the process that listens there from now on. */
  release(...ports: readonly number[]): Promise<void>
}

/**
 * Every address has to be known before the first process starts, and the last one starts a minute later: until then
 * this process listens on its port, or another run would take it meanwhile.
 */
export function createPortReservations(tell: (message: string) => void): PortReservations {
  const held = new Map<number, Server>()
  return {
    async reserve(wanted, what) {
      for (let candidate = wanted; candidate < wanted + 200; candidate++) {
        if (held.has(candidate)) continue
        const server = await tryListen(candidate)
        if (server === null) continue
        held.set(candidate, server)
        if (candidate !== wanted) tell(`Port ${wanted} is taken: ${what} uses ${candidate}.`)
        return candidate
      }
      throw new Error(`No port from ${wanted} to ${wanted + 199} is free for ${what}.`)
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

/** Null when somebody listens there. */
function tryListen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    // Whoever asks already, such as an agent that looks for Grafana, finds nobody.
    const server = createServer((socket) => void socket.destroy())
    server.unref()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}
