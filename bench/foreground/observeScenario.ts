import { setTimeout as delay } from 'node:timers/promises'
import { withDedicatedServer } from '../dedicatedServer.ts'
import { countWrongRows } from '../benchTable.ts'
import type { LoadReport } from './loadGenerator.ts'
import type { Scenario } from './scenarios.ts'
import { startLoad } from './startLoad.ts'

/** Load before the backfill starts. */
const WARM_UP_MS = 3_000

/** One run of a scenario. */
export interface ScenarioRun {
  readonly seconds: number
  /** Requests that were due during the backfill. */
  readonly requests: readonly TimedRequest[]
  readonly lateness: readonly number[]
}

export interface TimedRequest {
  /** Seconds since the start of the backfill. */
  readonly at: number
  readonly milliseconds: number
}

export async function observeScenario(
  { method, load }: Scenario,
  settings: { rows: number; clients: number; perSecond: number },
): Promise<ScenarioRun> {
  return await withDedicatedServer(method, settings.rows, async (url, sql) => {
    const runs: ScenarioRun[] = []
    await method.run(url, async (work) => {
      const running = load ? await startLoad({ url, ...settings }) : null
      try {
        if (running) await delay(WARM_UP_MS)
        const began = Date.now()
        const reportedSeconds = await work()
        const ended = Date.now()
        const seconds = reportedSeconds ?? (ended - began) / 1000
        runs.push({ seconds, ...requestsBetween(await running?.stop(), began, ended) })
      } finally {
        running?.kill()
      }
    })
    const wrong = await countWrongRows(sql, settings.rows, method.leaves)
    if (wrong !== 0) throw new Error(`${method.name} left ${wrong} rows wrong`)
    return runs[0]!
  })
}

function requestsBetween(report: LoadReport | undefined, began: number, ended: number): Omit<ScenarioRun, 'seconds'> {
  if (report === undefined) return { requests: [], lateness: [] }
  const requests = Array.from(report.due, (due, n) => ({ due, milliseconds: report.latency[n]! }))
    .filter(({ due }) => due >= began && due < ended)
    .map(({ due, milliseconds }) => ({ at: (due - began) / 1000, milliseconds }))
  return { requests, lateness: [...report.lateness] }
}
