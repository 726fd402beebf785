import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { TestDatabase } from './database.ts'

/** A database of its own on every node of the cluster. */
export interface CitusDatabase extends TestDatabase {
  /** The same database on each worker. */
  readonly workers: readonly postgres.Sql[]
  readonly workerUrls: readonly string[]
}

/** `base` is the URL of the coordinator of a cluster with at least one worker, as superuser; every node accepts the same role. */
export async function withCitusDatabase<T>(base: string, use: (database: CitusDatabase) => Promise<T>): Promise<T> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const connect = (url: string, max: number): postgres.Sql => postgres(url, { max, onnotice: () => undefined })
  const root = connect(base, 1)
  const nodes = await root<{ host: string; port: number; coordinator: boolean }[]>`
    select nodename as host, nodeport as port, groupid = 0 as coordinator from pg_dist_node
    where isactive and noderole = 'primary' order by groupid`
  const address = (database: string, { host, port }: { host: string; port: number }): string => {
    const url = new URL(base)
    url.hostname = host
    url.port = String(port)
    url.pathname = `/${database}`
    return url.href
  }
  const admin = nodes.map((node) => connect(address(new URL(base).pathname.slice(1), node), 1))
  const own = nodes.map((node) => connect(address(name, node), 4))
  const [coordinator] = nodes
  try {
    await Promise.all(admin.map((sql) => sql.unsafe(`create database ${name}`)))
    await Promise.all(own.map((sql) => sql`create extension citus`))
    const [sql, ...workers] = own
    await sql!`select citus_set_coordinator_host(${coordinator!.host}, ${coordinator!.port})`
    for (const { host, port } of nodes.slice(1)) await sql!`select citus_add_node(${host}, ${port})`
    return await use({
      url: address(name, coordinator!),
      sql: sql!,
      workers,
      workerUrls: nodes.slice(1).map((node) => address(name, node)),
    })
  } finally {
    await Promise.all(own.map((sql) => sql.end({ timeout: 2 })))
    for (const sql of admin) await sql.unsafe(`drop database if exists ${name} with (force)`)
    await Promise.all([root, ...admin].map((sql) => sql.end({ timeout: 2 })))
  }
}
