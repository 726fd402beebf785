import type { Method } from './method.ts'
import { withDedicatedServer } from './dedicatedServer.ts'
import { readSizes, readUpdateCounters, walBytesBetween } from './tableStatistics.ts'
import { countWrongRows } from './benchTable.ts'

/** An entry of `--json`. */
export interface MethodResult {
  readonly method: string
  readonly workers: number
  readonly rows: number
  readonly rowsPerSecond: number
  readonly walBytesPerRow: number
  readonly heapGrowthBytes: number
  readonly indexGrowthBytes: number
  readonly hotRatio: number
  readonly seconds: number
  readonly agentRssBytes?: number
}

/** @throws if the method did not leave the table as it should */
export async function measureMethod(method: Method, rows: number): Promise<MethodResult> {
  return await withDedicatedServer(method, rows, async (url, sql) => {
    const readings: Pick<MethodResult, 'seconds' | 'walBytesPerRow' | 'heapGrowthBytes' | 'indexGrowthBytes'>[] = []
    let updatesBefore = { all: 0, hot: 0 }
    const extras = await method.run(url, async (work) => {
      updatesBefore = await readUpdateCounters(sql)
      const before = await readSizes(sql)
      const started = performance.now()
      const reportedSeconds = await work()
      const seconds = reportedSeconds ?? (performance.now() - started) / 1000
      const after = await readSizes(sql)
      readings.push({
        seconds: Number(seconds.toFixed(3)),
        walBytesPerRow: Math.round((await walBytesBetween(sql, before.wal, after.wal)) / rows),
        heapGrowthBytes: after.heapBytes - before.heapBytes,
        indexGrowthBytes: after.indexBytes - before.indexBytes,
      })
    })
    const [reading] = readings
    if (reading === undefined) throw new Error(`${method.name} timed nothing`)
    const updates = await readUpdateCounters(sql)
    const wrong = await countWrongRows(sql, rows, method.leaves)
    if (wrong !== 0) throw new Error(`${method.name} left ${wrong} rows wrong`)
    return {
      method: method.name,
      workers: method.workers,
      rows,
      rowsPerSecond: Math.round(rows / reading.seconds),
      walBytesPerRow: reading.walBytesPerRow,
      heapGrowthBytes: reading.heapGrowthBytes,
      indexGrowthBytes: reading.indexGrowthBytes,
      hotRatio: Number(((updates.hot - updatesBefore.hot) / Math.max(1, updates.all - updatesBefore.all)).toFixed(3)),
      seconds: reading.seconds,
      ...extras,
    }
  })
}
