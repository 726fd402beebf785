import { createServer } from 'node:net'

/** Gives out ports: the wanted one, or where it is taken the next free one, and tells. */
export function portFinder(tell: (message: string) => void) {
  const given = new Set<number>()
  return async function port(wanted: number, what: string): Promise<number> {
    for (let candidate = wanted; candidate < wanted + 200; candidate++) {
      if (given.has(candidate) || !(await isFree(candidate))) continue
      given.add(candidate)
      if (candidate !== wanted) tell(`Port ${wanted} is taken: ${what} uses ${candidate}.`)
      return candidate
    }
    throw new Error(`No port from ${wanted} to ${wanted + 199} is free for ${what}.`)
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
