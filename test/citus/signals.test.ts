import postgres from 'postgres'
import { expect } from 'vitest'
import { connect } from '../../agent/src/database/connect.ts'
import { createBoundedConnection } from '../../agent/src/signals/boundedConnection.ts'
import { pollLockWaiters } from '../../agent/src/signals/lockWaiters.ts'
import { isKnown } from '../../agent/src/signals/reading.ts'
import { createWorkerQuery } from '../../agent/src/signals/serverQuery.ts'
import { withAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import { QUIET_LOG, readEventMessages } from '../support/operations.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor, waitForValue } from '../support/waitFor.ts'
import { findCheck, validate } from '../validation/validations.ts'

const CREATE = `
  create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null);
  select create_distributed_table('public.vehicles', 'id', shard_count => 4);
  insert into public.vehicles select n, false, false from generate_series(1, 400) n`

citusTest('a backfill waits for a snapshot and a slot of a worker, and names the worker', async (cluster) => {
  const { url, sql, workers, workerUrls } = cluster
  for (const statement of CREATE.split(';')) await sql.unsafe(statement)
  const node = new URL(workerUrls[1]!).host
  const file = `${VEHICLES_FILE}throttle: { oldestSnapshotSeconds: 1, slotRetainedBytes: { pause: 1000000 } }\n`
  const slot = `sti_test_${new URL(url).pathname.slice(-6)}`
  const report = postgres(workerUrls[1]!, { max: 1, onnotice: () => undefined })
  await withAgent(
    url,
    file,
    async (agent) => {
      await agent.run('expand')
      const [{ pid }] = (await report`select pg_backend_pid() as pid`) as unknown as [{ pid: number }]
      await report.unsafe(
        `set application_name = 'report'; begin isolation level repeatable read; select count(*) from pg_class`,
      )
      const { id } = await agent.request('backfill')
      const told = (text: string): Promise<unknown> =>
        waitFor(text, async () => (await readEventMessages(agent, id)).some((message) => message.includes(text)))
      await told(`Waiting: pid ${pid} (report, idle in transaction) has held a snapshot for`)
      const waiting = (await readEventMessages(agent, id)).find((message) => message.includes('has held a snapshot'))
      expect(waiting).toContain(` on node ${node}`)
      const found = findCheck(await validate(agent, { checks: ['long-transactions'] }), 'long-transactions')
      expect(found).toMatchObject({ verdict: 'fail', detail: expect.stringContaining(`on node ${node}`) as string })
      expect(await sql`select count(type)::int as written from public.vehicles`).toEqual([{ written: 0 }])

      try {
        await workers[1]!`select pg_create_physical_replication_slot(${slot}, true)`
        await workers[1]!`create table public.filler as select repeat('x', 1000) from generate_series(1, 3000)`
        await report.unsafe('commit')
        await told(`replication slot ${slot} retains`)
      } finally {
        await workers[1]!`select pg_drop_replication_slot(${slot})`
      }
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
      expect(await sql`select count(type)::int as written from public.vehicles`).toEqual([{ written: 400 }])
    },
    QUIET_LOG,
  )
  await report.end()
})

citusTest(
  'on a worker, sessions that wait for STI are counted, and those that wait for others are not',
  async (cluster) => {
    const { url, sql, workerUrls } = cluster
    for (const statement of CREATE.split(';')) await sql.unsafe(statement)
    const [shard] = await sql<{ port: number }[]>`
    select nodeport as port from pg_dist_shard_placement
    where shardid = get_shard_id_for_distribution_column('public.vehicles'::regclass, 7)`
    const address = new URL(workerUrls.find((worker) => new URL(worker).port === String(shard!.port))!)
    const database = connect(url, 'a')
    const connection = createBoundedConnection(() => database.engine({ purpose: 'node', readOnly: true }), 2_000)
    const server = createWorkerQuery(connection, 'sti a ', { host: address.hostname, port: Number(address.port) })
    const waiters = pollLockWaiters({ server, intervalMs: 200, now: Date.now })
    waiters.start()
    const session = (name: string): postgres.Sql =>
      postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: name } })
    const [other, ours] = [session('sti another lane'), session('sti a lane 1')]
    const counted = (count: number): Promise<unknown> =>
      waitForValue(waiters.read, (reading) => isKnown(reading) && reading.value.waiters === count)
    const lockRow = 'begin; select from public.vehicles where id = 7 for update'
    try {
      await other.unsafe(lockRow)
      const behindOther = sql`update public.vehicles set is_truck = true where id = 7`.execute()
      await waitFor('it waits', async () => (await sql`select from citus_lock_waits`).length === 1)
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(waiters.read()).toMatchObject({ value: { waiters: 0 } })
      await other.unsafe('commit')
      await behindOther
      await ours.unsafe(lockRow)
      const behind = sql`update public.vehicles set is_truck = false where id = 7`.execute()
      await counted(1)
      await ours.unsafe('commit')
      await behind
      await counted(0)
    } finally {
      waiters.stop()
      await Promise.all([other, ours].map((open) => open.end({ timeout: 1 })))
      await connection.end()
      await database.close()
    }
  },
)
