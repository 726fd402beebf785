/**
 * Runs work in a few lanes, in the order in which it arrives. A browser opens six connections to Grafana at most: a request
 * beyond them would wait, and run into its own timeout, behind an agent that does not answer.
 */
export function createLanes(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: Array<() => void> = []
  let free = count
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((start) => waiting.push(start))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
