import { setTimeout as sleep } from 'node:timers/promises'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { startStreamingReplica } from '../outage/streamingReplica.ts'
import type { SeededFault, FaultPlace, UndoFault } from './fault.ts'
import { runStatements } from './seedSql.ts'
import { waitFor } from '../support/waitFor.ts'

const shared = { environment: 'server', layer: 'system' } as const

const PREPARED_TRANSACTION_FLAGS = ['-c', 'max_prepared_transactions=2']
/** archive_command fails while this file exists in the data directory. */
const ARCHIVING_FLAGS = ['-c', 'archive_mode=on', '-c', 'archive_command=test ! -e archive-fails']

/** The server flags that these faults require. */
export const SERVER_FLAGS = [...ARCHIVING_FLAGS, ...PREPARED_TRANSACTION_FLAGS, '-c', 'max_connections=60']

/** PostgreSQL runs out of a resource, or falls behind. */
export const serverFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'long-transaction',
    checks: ['long-transactions'],
    what: 'a session idle in transaction holds a snapshot',
    async seed({ url }) {
      const session = postgres(url, { max: 1, onnotice: () => undefined })
      await session.unsafe('begin isolation level repeatable read; select 1 from public.vehicles limit 1')
      await sleep(6_000)
      return () => session.end({ timeout: 1 })
    },
  },
  {
    ...shared,
    name: 'prepared-transaction-forgotten',
    checks: ['long-transactions'],
    what: 'a prepared transaction was neither committed nor rolled back',
    async seed({ url, sql }) {
      const session = postgres(url, { max: 1, onnotice: () => undefined })
      await session.unsafe(`begin; update public.owner set id = id where id = 1; prepare transaction 'forgotten'`)
      await session.end({ timeout: 1 })
      await sleep(6_000)
      return async () => void (await sql.unsafe(`rollback prepared 'forgotten'`))
    },
  },
  {
    ...shared,
    name: 'connections-used-up',
    checks: ['connections'],
    what: 'nearly all connections of the server are in use',
    async seed({ url, sql }) {
      const [free] = await sql<{ n: number }[]>`
        select current_setting('max_connections')::int - 6 - count(*)::int as n from pg_stat_activity where backend_type = 'client backend'`
      const clients = postgres(url, { max: free!.n, onnotice: () => undefined, idle_timeout: 300 })
      await Promise.all(Array.from({ length: free!.n }, () => clients`select pg_sleep(1)`))
      await sleep(12_000)
      return () => clients.end({ timeout: 1 })
    },
  },
  {
    ...shared,
    name: 'archiver-fails',
    checks: ['archiver'],
    what: 'archive_command fails',
    seed: failArchiver,
  },
  {
    ...shared,
    name: 'autovacuum-off-for-the-table',
    checks: ['autovacuum'],
    what: 'autovacuum was turned off for the table',
    seed: runStatements('alter table public.vehicles set (autovacuum_enabled = off)'),
  },
  {
    ...shared,
    name: 'autovacuum-off',
    checks: ['autovacuum'],
    what: 'autovacuum was turned off for the whole server',
    seed: ({ sql }) => changeSetting(sql, 'autovacuum', 'off'),
  },
  {
    ...shared,
    name: 'table-bloated',
    checks: ['bloat'],
    what: 'most of the table is free space after rows were deleted',
    follows: ['autovacuum'],
    seed: runStatements(`delete from public.trip; delete from public.vehicles where id % 10 > 1`),
  },
  {
    ...shared,
    name: 'slot-forgotten',
    checks: ['replication-slots'],
    what: 'an unused replication slot retains WAL',
    async seed({ sql }) {
      await sql`select pg_create_physical_replication_slot('forgotten', true)`
      for (let n = 0; n < 8; n++) await sql`select pg_logical_emit_message(false, 'fault', repeat('x', 5000000))`
      await sleep(3_000)
      return async () => void (await sql`select pg_drop_replication_slot('forgotten')`)
    },
  },
  {
    ...shared,
    name: 'own-signal-above-its-limit',
    checks: ['signals'],
    what: 'a custom signal of the rollout file exceeds its limit',
    async seed({ url }) {
      const session = postgres(url, { max: 1, onnotice: () => undefined })
      await session`select pg_advisory_lock(n) from generate_series(1, 8) n`
      await sleep(6_000)
      return () => session.end({ timeout: 1 })
    },
  },
  {
    ...shared,
    name: 'replica-lags',
    checks: ['replication-lag'],
    layers: ['system', 'business'],
    what: 'a replica no longer receives WAL and lags behind',
    async seed(place) {
      const replica = await startSeenReplica(place)
      await replica.signalReceiver('SIGSTOP')
      await place.sql.unsafe(
        'update public.owner set id = id; create table public.bulk as select repeat(md5(n::text), 30) from generate_series(1, 5000) n',
      )
      await sleep(6_000)
      return async () => {
        await replica.signalReceiver('SIGCONT')
        await replica.stop()
      }
    },
  },
  {
    ...shared,
    name: 'replica-gone',
    checks: ['replication-lag'],
    layers: ['system', 'business'],
    what: 'a replica was disconnected',
    unknown: /has been disconnected for/,
    async seed(place) {
      const replica = await startSeenReplica(place)
      await replica.stop()
      await sleep(3_000)
    },
  },
]

/** Starts a replica and waits until the agent has seen it. */
async function startSeenReplica({ server, sql }: FaultPlace): ReturnType<typeof startStreamingReplica> {
  const replica = await startStreamingReplica(server, PREPARED_TRANSACTION_FLAGS)
  await waitFor(
    'the replica streams',
    async () => {
      const [row] = await sql<
        { n: number }[]
      >`select count(*)::int as n from pg_stat_replication where state = 'streaming'`
      return row!.n > 0
    },
    { seconds: 30 },
  )
  // The agent reads the replication lag every two seconds.
  await sleep(5_000)
  return replica
}

async function changeSetting(sql: postgres.Sql, name: string, value: string): Promise<UndoFault> {
  await sql.unsafe(`alter system set ${name} = '${value}'`)
  await sql`select pg_reload_conf()`
  await sleep(500)
  return async () => {
    await sql.unsafe(`alter system reset ${name}`)
    await sql`select pg_reload_conf()`
  }
}

async function failArchiver({ sql, server }: FaultPlace): Promise<UndoFault> {
  const file = join(server.folder, 'data', 'archive-fails')
  const failing = async (): Promise<boolean> => {
    const [row] = await sql<{ failing: boolean }[]>`
      select coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failing from pg_stat_archiver`
    return row!.failing
  }
  const archive = (): Promise<unknown> =>
    sql.unsafe('create table public.something (); drop table public.something; select pg_switch_wal()')
  await writeFile(file, '')
  await archive()
  await waitFor('the archiver fails', failing, { seconds: 30 })
  await sleep(3_000)
  return async () => {
    await rm(file)
    await archive()
    await waitFor('the archiver works again', async () => !(await failing()), { seconds: 90 })
  }
}
