import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { countWrongRows } from '../benchTable.ts'
import { withDedicatedServer } from '../dedicatedServer.ts'
import { startLoad } from '../foreground/startLoad.ts'
import { withAgentProcess } from '../methods/agentRun.ts'
import { engineBackfill } from '../methods/engineBackfill.ts'

const CLIENT_COUNT = 8
/** Load before the backfill starts. */
const WARM_UP_MS = 3_000

export interface NeighborLatency {
  readonly held: boolean
  readonly milliseconds: readonly number[]
}

/** The updates that were due in the first `seconds` of a backfill, while one of the rows is held or not. */
export async function measureNeighbors(settings: {
  readonly rows: number
  readonly held: boolean
  readonly seconds: number
  readonly perSecond: number
}): Promise<NeighborLatency> {
  const { rows, held, seconds, perSecond } = settings
  const key = Math.ceil(rows / 2)
  return await withDedicatedServer(engineBackfill({ name: 'engine', workers: 1 }), rows, async (url, sql) => {
    return await withAgentProcess(url, false, async (agent) => {
      await agent.run('expand')
      const load = await startLoad({ url, rows, clients: CLIENT_COUNT, perSecond, nextTo: key })
      const holder = postgres(url, { max: 1, onnotice: () => undefined })
      try {
        await delay(WARM_UP_MS)
        if (held) await holder.unsafe(`begin; select from public.vehicles where id = ${key} for update`)
        const began = Date.now()
        const backfill = agent.run('backfill')
        await delay(seconds * 1000)
        const ended = Date.now()
        const report = await load.stop()
        if (held) await requireUntyped(sql, key)
        await holder.end()
        await backfill
        const wrong = await countWrongRows(sql, rows, 'types')
        if (wrong !== 0) throw new Error(`the backfill left ${wrong} rows wrong`)
        const milliseconds = Array.from(report.latency).filter(
          (_, n) => report.due[n]! >= began && report.due[n]! < ended,
        )
        return { held, milliseconds }
      } finally {
        load.kill()
        await holder.end({ timeout: 0 })
      }
    })
  })
}

/** The row was held to the end, so the backfill waited for it. */
async function requireUntyped(sql: postgres.Sql, key: number): Promise<void> {
  const [row] = await sql<{ type: string | null }[]>`select type from public.vehicles where id = ${key}`
  if (row!.type !== null) throw new Error('the held row was written')
}
