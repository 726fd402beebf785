import type postgres from 'postgres'
import { setTimeout as delay } from 'node:timers/promises'

export interface TableSizes {
  readonly heapBytes: number
  readonly indexBytes: number
  readonly wal: string
}

export async function readSizes(sql: postgres.Sql): Promise<TableSizes> {
  const [row] = await sql<{ heap: string; index: string; wal: string }[]>`
    select pg_relation_size('public.vehicles') as heap, pg_indexes_size('public.vehicles') as index,
      pg_current_wal_insert_lsn() as wal`
  return { heapBytes: Number(row!.heap), indexBytes: Number(row!.index), wal: row!.wal }
}

export interface UpdateCounters {
  readonly all: number
  readonly hot: number
}

/** Waits until counters stop changing: those of a session arrive when it ends, or up to a second later. */
export async function readUpdateCounters(sql: postgres.Sql): Promise<UpdateCounters> {
  for (let last = -1; ; await delay(150)) {
    const [row] = await sql<{ all: string; hot: string }[]>`
      select n_tup_upd as all, n_tup_hot_upd as hot
      from pg_stat_user_tables where relid = 'public.vehicles'::regclass`
    const now = { all: Number(row!.all), hot: Number(row!.hot) }
    if (now.all === last) return now
    last = now.all
  }
}

export async function walBytesBetween(sql: postgres.Sql, from: string, to: string): Promise<number> {
  const [row] = await sql<{ bytes: string }[]>`select pg_wal_lsn_diff(${to}::pg_lsn, ${from}::pg_lsn) as bytes`
  return Number(row!.bytes)
}
