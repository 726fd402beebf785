import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import { discriminatorUpdate } from '../../agent/src/backfill/backfillJob.ts'
import { connect } from '../../agent/src/database/connect.ts'
import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from '../../agent/src/engine/batch.ts'
import { CTID_KEY } from '../../agent/src/engine/ctid.ts'
import { rangeCondition } from '../../agent/src/engine/keyRange.ts'
import { readLeafPartitions } from '../../agent/src/engine/leafPartitions.ts'
import { FenceLostError } from '../../agent/src/kind/operationErrors.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import { inspectTable } from '../../agent/src/rollout/inspectTable.ts'
import type { Acceptances } from '../../agent/src/contract/index.ts'
import { findCheck, validate } from '../validation/validations.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import type { CitusDatabase } from '../support/citusDatabase.ts'
import { readEventMessages } from '../support/operations.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

const WRONG = `type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`

async function createTable({ sql }: CitusDatabase, table: string, rows: number, manage: string): Promise<void> {
  const [schema] = table.split('.')
  if (schema !== 'public') await sql.unsafe(`create schema ${schema}`)
  await sql.unsafe(
    `create table ${table} (id int primary key, name text, is_truck boolean not null, is_bike boolean not null)`,
  )
  await sql.unsafe(manage)
  await sql.unsafe(`insert into ${table} select n, 'v' || n, n % 3 = 0, n % 3 = 1 from generate_series(1, ${rows}) n`)
  await sql.unsafe(`create index on ${table} (name)`)
}

const KINDS = [
  { table: 'public.vehicles', manage: `select create_distributed_table('public.vehicles', 'id', shard_count => 6)` },
  { table: 'tenant.vehicles', manage: `select citus_schema_distribute('tenant')` },
  { table: 'public.vehicles', manage: `select citus_add_local_table_to_metadata('public.vehicles')` },
]

/** Rows on several shards. */
const CONFLICTS = [2, 5, 8, 11, 14, 17]

for (const { table, manage } of KINDS) {
  citusTest(
    `the whole way from expand to finalize, the flag, and both rollbacks: ${manage}`,
    async (cluster) => {
      const { url, sql } = cluster
      await createTable(cluster, table, 3_000, manage)
      const legacyRows = async (): Promise<string> =>
        JSON.stringify(await sql.unsafe(`select id, name, is_truck, is_bike from ${table} order by id`))
      await withAgent(url, VEHICLES_FILE.replace('public.vehicles', table), async (agent) => {
        expect((await agent.rollout()).faults).toEqual([])
        await agent.run('expand')
        await sql.unsafe(`insert into ${table} values (100001, 'new', true, false)`)
        await sql.unsafe(`update ${table} set is_truck = false, is_bike = true where id = 3`)
        expect(await sql.unsafe(`select id, type from ${table} where type is not null order by id`)).toEqual([
          { id: 3, type: 'Bike' },
          { id: 100001, type: 'Truck' },
        ])
        // Code that contradicts itself: the trigger corrects the type, and finalize names the statement.
        await sql.unsafe(`update ${table} set type = 'Car', is_truck = true, is_bike = false where id = 4`)
        await agent.run('backfill')
        expect(await sql.unsafe(`select count(*)::int as wrong from ${table} where ${WRONG}`)).toEqual([{ wrong: 0 }])
        expect((await validate(agent, { layers: ['integrity'] })).verdict).toBe('fail')
        const { reasons } = await agent.preview('finalize')
        expect(reasons.join(' ')).toMatch(
          new RegExp(`1 write since expand.*Written by: update ${table.replace('.', '\\.')} .*type = `, 'i'),
        )
        await acceptConflicts(agent)
        expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({
          verdict: 'pass',
          rows: 3_001,
        })
        await agent.run('finalize')
        expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({ verdict: 'pass' })
        await agent.run('flag', { enabled: true, percentage: 10, force: true })
        await agent.run('flag', { enabled: true, percentage: 100, force: true })

        const rowOf = async (id: number) =>
          (await sql.unsafe(`select type, is_truck, is_bike from ${table} where id = ${id}`))[0]
        // New code writes the type alone, by key and on all shards at once: the legacy columns follow on each shard.
        await sql.unsafe(`update ${table} set type = 'Bike' where id = 6`)
        expect(await rowOf(6)).toEqual({ type: 'Bike', is_truck: false, is_bike: true })
        await sql.unsafe(`update ${table} set type = 'Truck' where id between 1001 and 1060`)
        expect(
          await sql.unsafe(`select count(*)::int as n from ${table} where id between 1001 and 1060 and is_truck`),
        ).toEqual([{ n: 60 }])
        await sql.unsafe(
          `insert into ${table} (id, name, type, is_truck, is_bike) values (100002, 'new', 'Bike', false, true)`,
        )
        // Old code still writes the legacy columns.
        await sql.unsafe(`update ${table} set is_truck = true, is_bike = false where id = 100002`)
        expect(await rowOf(100002)).toEqual({ type: 'Truck', is_truck: true, is_bike: false })
        // A contradiction is refused as the file says, on whichever node the row is, and counted there.
        for (const id of CONFLICTS)
          await expect(
            sql.unsafe(`update ${table} set type = 'Bike', is_truck = true, is_bike = false where id = ${id}`),
          ).rejects.toMatchObject({
            code: '23514',
            message: expect.stringMatching(/disagree: type is 'Bike'/) as string,
          })
        const conflicts = findCheck(await validate(agent, { checks: ['dual-write-conflicts'] }), 'dual-write-conflicts')
        expect(conflicts).toMatchObject({ verdict: 'fail', value: 1 + CONFLICTS.length })
        expect(conflicts.detail).toMatch(
          new RegExp(`${CONFLICTS.length} new conflicts .* 1 corrected before finalize, ${CONFLICTS.length} refused`),
        )
        expect(await sql.unsafe(`select count(*)::int as wrong from ${table} where ${WRONG}`)).toEqual([{ wrong: 0 }])

        await agent.run('rollback', { scope: 'flag', confirm: 'vehicles' })
        expect((await agent.rollout()).flag).toMatchObject({ enabled: false })
        const before = await legacyRows()
        const { result } = await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
        expect(result).toMatchObject({ origin: { structure: 'as before expand' } })
        expect(await legacyRows()).toBe(before)
        // No shard keeps a trigger, an index, a constraint, or the column.
        const left = await sql.unsafe<{ result: string }[]>(`select result from run_command_on_shards('${table}',
        $$select (select count(*) from pg_trigger where tgrelid = '%1$s'::regclass and tgname like '~sti%%')
          + (select count(*) from pg_constraint where conrelid = '%1$s'::regclass and conname like 'sti%%')
          + (select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = '%1$s'::regclass and c.relname like 'sti%%')
          + (select count(*) from pg_attribute where attrelid = '%1$s'::regclass and attname = 'type')$$)`)
        expect(new Set(left.map((row) => row.result))).toEqual(new Set(['0']))
      })
    },
    300_000,
  )
}

async function acceptConflicts(agent: TestAgent): Promise<void> {
  const { acceptable } = await agent.get<Acceptances>('/v1/rollouts/vehicles/acceptances')
  const subjects = acceptable.filter(({ check }) => check === 'dual-write-conflicts').map(({ subject }) => subject)
  const body = { environment: 'staging', check: 'dual-write-conflicts', subjects, reason: 'a test' }
  expect(await agent.post('/v1/rollouts/vehicles/acceptances', body)).toMatchObject({ status: 200 })
}

const ROWS = 40_000

citusTest('writers, moved shards and killed connections during a backfill lose nothing', async (cluster) => {
  const { url, sql, workers } = cluster
  await createTable(cluster, 'public.vehicles', ROWS, KINDS[0]!.manage)
  let stopped = false
  const written = new Map<number, string>()
  const writer = async (first: number): Promise<void> => {
    for (let n = first; !stopped; n += 2) {
      const id = ((n * 7919) % ROWS) + 1
      const kind = ['Truck', 'Bike', 'Car'][n % 3]!
      const done =
        await sql`update public.vehicles set is_truck = ${kind === 'Truck'}, is_bike = ${kind === 'Bike'} where id = ${id}`.catch(
          () => null,
        )
      // A write whose connection was killed may or may not have been committed.
      if (done === null) written.delete(id)
      else written.set(id, kind)
    }
  }
  await withAgent(url, VEHICLES_FILE, async (agent) => {
    await agent.run('expand')
    const writers = Promise.all([writer(1), writer(2)])
    const { id } = await agent.request('backfill', { batchSize: 100 })
    try {
      for (let round = 1; round <= 2; round++) {
        await moveAShard(sql)
        await Promise.all(workers.map((worker) => killConnections(worker)))
        expect(await agent.get(`/v1/operations/${id}`)).toMatchObject({ state: 'running' })
      }
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
    } finally {
      stopped = true
      await writers
    }
    const rows = await sql<{ id: number; type: string | null; wrong: boolean }[]>`
      select id, type, ${sql.unsafe(WRONG)} as wrong from public.vehicles`
    expect(rows).toHaveLength(ROWS)
    expect(rows.filter(({ wrong }) => wrong)).toEqual([])
    const types = new Map(rows.map(({ id, type }) => [id, type]))
    expect(written.size).toBeGreaterThan(10)
    expect([...written].filter(([id, kind]) => types.get(id) !== kind)).toEqual([])
    expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({ verdict: 'pass' })
  })
})

citusTest(
  'a backfill passes an open statement on all shards, and commits each batch once on each node',
  async (cluster) => {
    const { url, sql } = cluster
    await createTable(cluster, 'public.vehicles', ROWS, KINDS[0]!.manage)
    // Citus opens the connections that it may open at once, and not only for statements that take longer.
    await sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set citus.executor_slow_start_interval = 0`)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const [before] = await sql<{ gids: string[] }[]>`
        select coalesce(array_agg(gid), '{}') as gids from pg_dist_transaction`
      const application = postgres(url, { max: 1, onnotice: () => undefined })
      try {
        await application.unsafe(`begin; update public.vehicles set name = 'w' where name = 'nobody'`)
        await agent.run('backfill', { workers: 2 })
      } finally {
        await application.end({ timeout: 1 })
      }
      // citus_<node>_<process>_<transaction>_<connection>
      const commits = await sql<{ connections: number }[]>`
        select count(*)::int as connections from pg_dist_transaction where gid <> all (${before!.gids})
        group by groupid, split_part(gid, '_', 3), split_part(gid, '_', 4)`
      expect(commits.length).toBeGreaterThan(4)
      expect(new Set(commits.map(({ connections }) => connections))).toEqual(new Set([1]))
      expect(await sql.unsafe(`select count(*)::int as wrong from public.vehicles where ${WRONG}`)).toEqual([
        { wrong: 0 },
      ])
    })
  },
)

/** A move that meets a connection which this test has killed fails as a whole, and is made again. */
async function moveAShard(sql: postgres.Sql, attempts = 10): Promise<void> {
  await sql`select citus_move_shard_placement(s.shardid, s.nodename, s.nodeport, n.nodename, n.nodeport, shard_transfer_mode => 'block_writes')
    from (select shardid, nodename, nodeport from pg_dist_shard join pg_dist_shard_placement using (shardid)
      where logicalrelid = 'public.vehicles'::regclass order by random() limit 1) s
    join lateral (select * from pg_dist_node where shouldhaveshards and (nodename, nodeport) <> (s.nodename, s.nodeport) limit 1) n on true`.catch(
    async (error: unknown) => {
      if (attempts === 1) throw error
      await sleep(200)
      await moveAShard(sql, attempts - 1)
    },
  )
}

async function killConnections(worker: postgres.Sql): Promise<void> {
  await worker`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name like 'citus_internal%'`
}

citusTest(
  'a row that somebody holds is waited for in short batches, and a lost lane writes nothing',
  async (cluster) => {
    const { url, sql } = cluster
    await createTable(cluster, 'public.vehicles', 2_000, KINDS[0]!.manage)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const database = connect(url, 'test')
      try {
        const { rollout } = compileRollout('v.yaml', VEHICLES_FILE)
        const table = await inspectTable(database.state, rollout!)
        const [leaf] = await readLeafPartitions(database.state, 'public.vehicles')
        const engine = database.engine({ searchPath: table.triggerSearchPath, inShards: true })
        const range = { low: ['(0,0)'], high: [`(${leaf!.blocks},0)`], rows: 2 }
        const lane = { operation_id: 1n, number: 1, epoch: 1n, claim: randomUUID(), position: range.low }
        const stale = writeBatch(
          engine,
          discriminatorUpdate(rollout!, table.key, { nodes: 2, lockTimeoutMs: () => 50 }),
          lane as unknown as Parameters<typeof writeBatch>[2],
          {
            relation: leaf!,
            rows: rangeCondition({ table: leaf!, key: CTID_KEY }, range, BATCH_ROWS_FIRST_PARAMETER),
            nextPosition: range.high,
            passedRows: 0,
            unmappedRecording: 'no',
            flush: true,
          },
        )
        await expect(stale).rejects.toThrow(FenceLostError)
        expect(await sql`select count(type)::int as written from public.vehicles`).toEqual([{ written: 0 }])
      } finally {
        await database.close()
      }
      const holder = postgres(url, { max: 1, onnotice: () => undefined })
      await holder.unsafe('begin; select from public.vehicles where id = 7 for update')
      const { id } = await agent.request('backfill')
      const started = performance.now()
      let longest = 0
      while (performance.now() - started < 1_500) {
        const wait = performance.now()
        await sql`update public.vehicles set name = 'w' where id = 8`
        // A batch that waits for the held row lets go of its other rows within its bound.
        longest = Math.max(longest, performance.now() - wait)
        await sleep(100)
      }
      expect(longest).toBeLessThan(1_000)
      expect(await agent.get(`/v1/operations/${id}`)).toMatchObject({ state: 'running' })
      const messages = async (): Promise<string> => (await readEventMessages(agent, id)).join('\n')
      // Its session is at the coordinator, and its lock on a node.
      const [{ pid }] = (await holder`select pg_backend_pid() as pid`) as unknown as [{ pid: number }]
      await waitFor('the holder is named', async () => (await messages()).includes(`held by pid ${pid} (`))
      await holder.end()
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
      expect(await sql.unsafe(`select count(*)::int as wrong from public.vehicles where ${WRONG}`)).toEqual([
        { wrong: 0 },
      ])
    })
  },
)
