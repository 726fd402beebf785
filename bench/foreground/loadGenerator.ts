import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import postgres from 'postgres'
import type { RequestClockData } from './requestClock.ts'
import { createNeighborUpdates, createRequests } from './requests.ts'

/** Options of the process, as JSON. */
export interface LoadSettings {
  readonly url: string
  readonly rows: number
  readonly clients: number
  readonly perSecond: number
  /** Only updates of the rows next to this one, never of itself; absent: requests of the whole table. */
  readonly nextTo?: number
}

/** Result of `stop`: for each request, when it was due (Unix milliseconds) and its latency from then on. */
export interface LoadReport {
  readonly due: Float64Array
  readonly latency: Float64Array
  /** How late this process started requests whose client was idle; not caused by the database. */
  readonly lateness: Float64Array
}

/**
 * Open-loop load: requests are due at a fixed rate. Each client runs its requests one after the other, and latency is
 * measured from the due time, so it includes waiting behind a slow request.
 */
const settings = JSON.parse(process.argv[2]!) as LoadSettings
try {
  // As if it ran on another machine. Requires root; the reported lateness shows the remaining error.
  setPriority(0, -15)
} catch {
  process.stderr.write('the load generator runs without priority: its lateness is included in the latencies\n')
}
const clients = Array.from({ length: settings.clients }, (_, n) => {
  const sql = postgres(settings.url, { max: 1, onnotice: () => undefined })
  const request =
    settings.nextTo === undefined
      ? createRequests(sql, settings.rows, n)
      : createNeighborUpdates(sql, settings.nextTo, n)
  return { request, queue: [] as number[], busy: false }
})
for (const client of clients) for (let n = 0; n < 20; n++) await client.request()

const [due, latency, lateness]: [number[], number[], number[]] = [[], [], []]
const start = process.hrtime.bigint()
const epoch = Date.now()
const now = (): number => Number(process.hrtime.bigint() - start) / 1e6
let stopping = false

const interval = 1000 / settings.perSecond
// Node 20 starts threads without the TypeScript loader.
const typescript = createRequire(import.meta.url).resolve('tsx/cjs')
const program = fileURLToPath(new URL('./requestClock.ts', import.meta.url))
const clock = new Worker(`require(${JSON.stringify(typescript)}); require(${JSON.stringify(program)})`, {
  eval: true,
  workerData: { start, interval } satisfies RequestClockData,
})
clock.on('error', (error) => {
  throw error
})
clock.on('message', (n: number) => {
  if (stopping) return
  const client = clients[n % clients.length]!
  client.queue.push(n * interval)
  if (!client.busy) {
    lateness.push(now() - n * interval)
    void serveQueue(client)
  }
})

async function serveQueue(client: (typeof clients)[number]): Promise<void> {
  client.busy = true
  for (let at = client.queue.shift(); at !== undefined; at = client.queue.shift()) {
    await client.request()
    due.push(epoch + at)
    latency.push(now() - at)
  }
  client.busy = false
}

process.on('message', () => void finishAndReport())
process.once('disconnect', () => process.exit(1))
process.send!('ready')

/** Due requests are completed and counted. */
async function finishAndReport(): Promise<void> {
  stopping = true
  while (clients.some((client) => client.busy)) await new Promise((resolve) => setTimeout(resolve, 20))
  const report: LoadReport = {
    due: Float64Array.from(due),
    latency: Float64Array.from(latency),
    lateness: Float64Array.from(lateness),
  }
  process.send!(report, () => process.exit(0))
}
