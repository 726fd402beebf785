import { tmpdir } from 'node:os'
import postgres from 'postgres'
import { startPostgres } from '../test/support/server.ts'
import type { Method } from './method.ts'
import { createBenchTable } from './benchTable.ts'

/** No checkpoint runs during a measurement, so every method writes each full-page image once. */
export const SERVER_SETTINGS = [
  'shared_buffers=1GB',
  'max_wal_size=40GB',
  'checkpoint_timeout=30min',
  'wal_compression=off',
]

/** Each method gets its own server and table, so that caches and WAL of another method do not affect it. */
export async function withDedicatedServer<T>(
  method: Method,
  rows: number,
  use: (url: string, sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const server = await startPostgres(
    SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
    tmpdir(),
  )
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await method.before?.(server.url)
    await createBenchTable(sql, rows, method.shares)
    return await use(server.url, sql)
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
  }
}
