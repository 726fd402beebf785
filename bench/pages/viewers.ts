import { setTimeout as sleep } from 'node:timers/promises'

/** A request that a page repeats. */
export interface RepeatedRequest {
  /** The path at Grafana. */
  readonly path: string
  readonly intervalSeconds: number
}

interface GrafanaSession {
  readonly url: string
  readonly cookie: string
}

/** The CPU time that a process has used since it started, in seconds, as its own metrics say. */
async function readCpuSeconds(metricsUrl: string): Promise<number> {
  const answer = await fetch(metricsUrl)
  const [, seconds] = (await answer.text()).match(/^process_cpu_seconds_total (\S+)$/m) ?? []
  if (seconds === undefined) throw new Error(`${metricsUrl} has no process_cpu_seconds_total.`)
  return Number(seconds)
}

/** The share of one core that the process used while something ran for some seconds. */
export async function measureCpu(metricsUrl: string, seconds: number): Promise<number> {
  const before = await readCpuSeconds(metricsUrl)
  const startedAt = Date.now()
  await sleep(seconds * 1000)
  return ((await readCpuSeconds(metricsUrl)) - before) / ((Date.now() - startedAt) / 1000)
}

/** Sends the requests of many pages through Grafana until `stop`, which returns how many were answered, and throws an error of one. */
export function startViewers(
  session: GrafanaSession,
  count: number,
  requests: readonly RepeatedRequest[],
): { stop(): Promise<number> } {
  const abort = new AbortController()
  let answered = 0
  const repeat = async ({ path, intervalSeconds }: RepeatedRequest, share: number): Promise<void> => {
    // People open their pages at different times.
    let due = Date.now() + share * intervalSeconds * 1000
    while (!abort.signal.aborted) {
      await sleep(Math.max(0, due - Date.now()), undefined, { signal: abort.signal }).catch(() => undefined)
      if (abort.signal.aborted) return
      due += intervalSeconds * 1000
      const answer = await fetch(`${session.url}${path}`, { headers: { cookie: session.cookie } })
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}.`)
      answered++
    }
  }
  const all = Promise.all(
    Array.from({ length: count }, (_, viewer) => requests.map((request) => repeat(request, viewer / count))).flat(),
  )
  // `stop` throws the error.
  all.catch(() => undefined)
  return {
    async stop() {
      abort.abort()
      await all
      return answered
    },
  }
}
