import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './server.ts'

/** A TCP proxy between an agent and PostgreSQL that simulates network faults. */
export interface TcpProxy {
  /** URL of the database through the proxy. */
  readonly url: string
  /** Resets every connection. */
  resetConnections(): void
  /** Resets new connections immediately while true. */
  refuse(refused: boolean): void
  /** Resets each connection in the middle of its next response. */
  breakResponses(): void
  /** Delays data by this time in both directions. */
  delay(ms: number): void
  /** Closes one side of each connection and leaves the other side open. */
  halfClose(side: 'agent' | 'server'): void
  /** Stops all data but keeps connections open: existing ones, or new ones too. */
  freeze(scope: 'existing' | 'all'): void
  thaw(): void
  /** Sends new connections to this server. */
  connectTo(databaseUrl: string): void
  stop(): Promise<void>
}

interface ProxiedConnection {
  readonly agent: Socket
  readonly server: Socket
  breaks: boolean
}

export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  let target = new URL(databaseUrl)
  const connections = new Set<ProxiedConnection>()
  let refused = false
  let frozen = false
  let delayMs = 0

  const forward = (way: ProxiedConnection, from: Socket, to: Socket): void => {
    let last = Promise.resolve()
    const after = (then: () => void): void => {
      const wait = delayMs
      // Keeps the order if the delay has become shorter.
      last = last.then(() => (wait === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, wait)))).then(then)
    }
    from.on('data', (piece: Buffer) => {
      if (way.breaks && from === way.server) {
        to.write(piece.subarray(0, Math.max(1, piece.length - 7)))
        setTimeout(() => reset(way), 5)
        return
      }
      after(() => void to.write(piece))
    })
    from.on('end', () => after(() => void to.end()))
    from.on('error', () => undefined)
    from.on('close', () => {
      connections.delete(way)
      to.destroy()
    })
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (agent) => {
    agent.on('error', () => undefined)
    if (refused) return void agent.resetAndDestroy()
    const way = {
      agent,
      server: connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true, noDelay: true }),
      breaks: false,
    }
    connections.add(way)
    forward(way, agent, way.server)
    forward(way, way.server, agent)
    if (frozen) pause(way)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).toString()
  return {
    url,
    resetConnections: () => connections.forEach(reset),
    refuse(wanted) {
      refused = wanted
    },
    breakResponses() {
      for (const way of connections) way.breaks = true
    },
    delay(ms) {
      delayMs = ms
    },
    halfClose(side) {
      for (const way of connections) way[side].end()
    },
    freeze(scope) {
      frozen = scope === 'all'
      connections.forEach(pause)
    },
    thaw() {
      frozen = false
      for (const way of connections) {
        way.agent.resume()
        way.server.resume()
      }
    },
    connectTo(other) {
      target = new URL(other)
    },
    async stop() {
      connections.forEach(reset)
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function reset(way: ProxiedConnection): void {
  way.agent.resetAndDestroy()
  way.server.resetAndDestroy()
}

function pause(way: ProxiedConnection): void {
  way.agent.pause()
  way.server.pause()
}
