import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './server.ts'

/** A TCP way between an agent and PostgreSQL that can be made bad. */
export interface TcpProxy {
  /** The database behind it, by its address. */
  readonly url: string
  /** Resets every connection. */
  resetConnections(): void
  /** Resets new connections at once, until told otherwise. */
  refuse(refused: boolean): void
  /** Resets each connection in the middle of its next answer. */
  breakAnswers(): void
  /** Holds every piece back this long, in both directions. */
  delay(ms: number): void
  /** Sends the end of the stream to one side of each connection, while the other side stays open. */
  halfClose(side: 'agent' | 'server'): void
  /** No byte passes any more while every connection stays open: on those there are now, or on new ones too. */
  freeze(which: 'these' | 'all'): void
  thaw(): void
  /** New connections go to this server from now on. */
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
      // In order, also when the delay has become shorter meanwhile.
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
    breakAnswers() {
      for (const way of connections) way.breaks = true
    },
    delay(ms) {
      delayMs = ms
    },
    halfClose(side) {
      for (const way of connections) way[side].end()
    },
    freeze(which) {
      frozen = which === 'all'
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
