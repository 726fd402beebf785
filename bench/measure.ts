import type { Method } from './method.ts'
import { onServerOfItsOwn } from './server.ts'
import { readSizes, readUpdates, walBetween } from './sizes.ts'
import { wrongRows } from './table.ts'

/** What `--json` writes, one entry for each method. */
export interface Measured {
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

/** Fails when the method did not leave the table as it should. */
export async function measure(method: Method, rows: number): Promise<Measured> {
  return await onServerOfItsOwn(method, rows, async (url, sql) => {
    const readings: Pick<Measured, 'seconds' | 'walBytesPerRow' | 'heapGrowthBytes' | 'indexGrowthBytes'>[] = []
    let updatesBefore = { all: 0, hot: 0 }
    const extras = await method.run(url, async (work) => {
      updatesBefore = await readUpdates(sql)
      const before = await readSizes(sql)
      const started = performance.now()
      const told = await work()
      const seconds = told ?? (performance.now() - started) / 1000
      const after = await readSizes(sql)
      readings.push({
        seconds: Number(seconds.toFixed(3)),
        walBytesPerRow: Math.round((await walBetween(sql, before.wal, after.wal)) / rows),
        heapGrowthBytes: after.heapBytes - before.heapBytes,
        indexGrowthBytes: after.indexBytes - before.indexBytes,
      })
    })
    const [reading] = readings
    if (reading === undefined) throw new Error(`${method.name} timed nothing`)
    const updates = await readUpdates(sql)
    const wrong = await wrongRows(sql, rows, method.leaves)
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
