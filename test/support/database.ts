import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'
import { startPostgres } from './server.ts'

export interface TestDatabase {
  /** URL of the database, as superuser. */
  readonly url: string
  readonly sql: postgres.Sql
}

/**
 * Runs a test against a new, empty database and drops it afterwards. Throws if the test left connections of the agent
 * open, because such a leak would also occur in production.
 */
export async function withDatabase<T>(
  test: (database: TestDatabase) => Promise<T>,
  base = inject('postgresUrl'),
  options = '',
): Promise<T> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const root = postgres(base, { max: 1, onnotice: () => undefined })
  await root.unsafe(`create database ${name} ${options}`)
  const url = base.replace(/\/postgres$/, `/${name}`)
  const sql = postgres(url, { max: 4, onnotice: () => undefined })
  try {
    const result = await test({ url, sql })
    await sql.end({ timeout: 2 })
    const left = await openConnections(root, name)
    if (left.length > 0) throw new Error(`connections left open: ${left.join(', ')}`)
    return result
  } finally {
    await sql.end({ timeout: 2 })
    if (base === inject('postgresUrl')) await forgetStatements(root, name)
    await root.unsafe(`drop database if exists ${name} with (force)`)
    await root.end({ timeout: 2 })
  }
}

/** Each agent reads the statements of its whole server: those of ended tests would slow down all others. */
async function forgetStatements(root: postgres.Sql, name: string): Promise<void> {
  await root`select pg_stat_statements_reset(0, (select oid from pg_database where datname = ${name}), 0)`
}

/** Uses a separate server: the statements of other tests would evict its entries from pg_stat_statements. */
export async function withDedicatedServer<T>(test: (database: TestDatabase) => Promise<T>): Promise<T> {
  const server = await startPostgres(['-c', 'fsync=off'])
  try {
    return await withDatabase(test, server.url)
  } finally {
    await server.stop()
  }
}

async function openConnections(root: postgres.Sql, name: string): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const rows = await root<{ application_name: string }[]>`
      select application_name from pg_stat_activity where datname = ${name} and application_name like 'sti %'`
    if (rows.length === 0 || attempt === 20) return rows.map((row) => row.application_name)
    await sleep(50)
  }
}
