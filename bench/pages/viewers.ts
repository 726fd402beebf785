import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A request that a page repeats. */
export interface RepeatedRequest {
  /** The path at Grafana. */
  readonly path: string
  readonly cacheControl?: string | undefined
  readonly intervalSeconds: number
}

interface GrafanaSession {
  readonly url: string
  readonly cookie: string
}

/** Kernel ticks per second of /proc (Linux). */
const TICKS_PER_SECOND = 100

/** The process of the agent that listens on a port. @throws Error if there is none */
export async function findAgentProcess(port: number): Promise<number> {
  const read = (pid: string, name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, environment] = [await read(pid, 'cmdline'), await read(pid, 'environ')]
    if (command.includes('/agent/src/main.ts') && environment.split('\0').includes(`STI_PORT=${port}`))
      return Number(pid)
  }
  throw new Error(`No process of an agent has the port ${port}.`)
}

/** The CPU time that a process has used since it started, in seconds. */
async function readCpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in parentheses, may have spaces; user and system time are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The share of one core that the process used while something ran for some seconds. */
export async function measureCpu(pid: number, seconds: number): Promise<number> {
  const before = await readCpuSeconds(pid)
  const startedAt = Date.now()
  await sleep(seconds * 1000)
  return ((await readCpuSeconds(pid)) - before) / ((Date.now() - startedAt) / 1000)
}

/** Sends the requests of many pages through Grafana until `stop`, which returns how many were answered, and throws an error of one. */
export function startViewers(
  session: GrafanaSession,
  count: number,
  requests: readonly RepeatedRequest[],
): { stop(): Promise<number> } {
  const abort = new AbortController()
  let answered = 0
  const repeat = async ({ path, cacheControl, intervalSeconds }: RepeatedRequest, share: number): Promise<void> => {
    // People open their pages at different times.
    let due = Date.now() + share * intervalSeconds * 1000
    while (!abort.signal.aborted) {
      await sleep(Math.max(0, due - Date.now()), undefined, { signal: abort.signal }).catch(() => undefined)
      if (abort.signal.aborted) return
      due += intervalSeconds * 1000
      const answer = await fetch(`${session.url}${path}`, {
        headers: { cookie: session.cookie, ...(cacheControl === undefined ? {} : { 'cache-control': cacheControl }) },
      })
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
