import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import { dropSchema } from '../../agent/src/database/removal.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { findCheck, validate } from '../validation/validations.ts'

const TYPE_WINS = VEHICLES_FILE.replace('flag:', 'conflicts: type\nflag:')
const CREATE = `create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null)`
const DISTRIBUTE = `select create_distributed_table('public.vehicles', 'id', shard_count => 6)`
const FILL = `insert into public.vehicles select n, false, false from generate_series(1, 800) n`

async function finalizeRollout(agent: TestAgent): Promise<void> {
  for (const kind of ['expand', 'backfill', 'validation', 'finalize', 'validation'] as const) await agent.run(kind)
  await agent.run('flag', { enabled: true, percentage: 100, force: true })
}

/** A write whose legacy columns are a truck's and whose type is a bike's: the type wins, and the loser is stored. */
const CONFLICT = `set type = 'Bike', is_truck = true, is_bike = false`

citusTest(
  'no write fails and no conflict is lost on a node that is added, on shards that move, and on a node without counters',
  async ({ url, sql, workers }) => {
    const [first, added] = await sql<{ name: string; port: number }[]>`
      select nodename as name, nodeport as port from pg_dist_node where groupid <> 0 order by groupid`
    await sql`select citus_remove_node(${added!.name}, ${added!.port})`
    for (const statement of [CREATE, DISTRIBUTE, FILL]) await sql.unsafe(statement)
    await withAgent(url, TYPE_WINS, async (agent) => {
      await finalizeRollout(agent)
      let [stopped, id] = [false, 0]
      const written: number[] = []
      const failures: unknown[] = []
      const writer = (async () => {
        while (!stopped && id < 600) {
          id++
          await sql.unsafe(`update public.vehicles ${CONFLICT} where id = ${id}`).then(
            () => written.push(id),
            (error: unknown) => failures.push(error),
          )
          await sleep(10)
        }
      })()
      try {
        await sql`select citus_add_node(${added!.name}, ${added!.port})`
        await waitFor('the agent has prepared the node', async () => {
          const [row] = await workers[1]!`select to_regclass('sti.conflict') is not null as ready`
          return row!['ready'] === true
        })
        for (let shard = 0; shard < 3; shard++)
          await sql`select citus_move_shard_placement(shardid, ${first!.name}, ${first!.port}, ${added!.name}, ${added!.port}, shard_transfer_mode => 'block_writes')
            from (select shardid from pg_dist_shard join pg_dist_shard_placement using (shardid)
              where logicalrelid = 'public.vehicles'::regclass and nodeport = ${first!.port} and nodename = ${first!.name} limit 1) s`
        const moved = id
        await waitFor('conflicts are written on both nodes', () => Promise.resolve(id > moved + 20 || id >= 600))
      } finally {
        stopped = true
        await writer
      }
      expect(failures).toEqual([])
      const check = findCheck(await validate(agent, { checks: ['dual-write-conflicts'] }), 'dual-write-conflicts')
      expect(check).toMatchObject({ verdict: 'fail', value: written.length })
      const stored = await sql<{ id: number; origin: string }[]>`
        select (key->>0)::int as id, split_part(origin, ' ', 1) as origin from sti.conflict
        where written_type = 'Bike' and legacy_type = 'Truck' order by 1`
      expect(stored.map((row) => row.id)).toEqual(written)
      expect(new Set(stored.map(({ origin }) => origin))).toEqual(
        new Set([first, added].map((node) => `${node!.name}:${node!.port}`)),
      )
      expect(await workers[1]!`select from sti.conflict`).toHaveLength(0)
      expect(
        await sql`select from public.vehicles where id = any (${written}) and (type, is_truck, is_bike) is distinct from ('Bike', false, true)`,
      ).toHaveLength(0)

      // Somebody removed the counters of a node: writes go on, and the agent creates them again.
      for (const worker of workers) await worker.unsafe('drop table sti.conflict')
      await sql.unsafe(`update public.vehicles ${CONFLICT} where id between 701 and 720`)
      expect(
        await sql`select from public.vehicles where id between 701 and 720 and type = 'Bike' and is_bike`,
      ).toHaveLength(20)
      await waitFor('the counters exist again', async () => {
        const ready = await Promise.all(workers.map((w) => w`select to_regclass('sti.conflict') is not null as ready`))
        return ready.every(([row]) => row!['ready'] === true)
      })
      await sql.unsafe(`update public.vehicles ${CONFLICT} where id = 750`)
      await validate(agent, { checks: ['dual-write-conflicts'] })
      expect(await sql`select from sti.conflict where key->>0 = '750'`).toHaveLength(1)

      await agent.run('rollback', { scope: 'system', confirm: 'vehicles' })
    })
    // Removing STI leaves nothing on any node.
    await dropSchema(sql as unknown as Parameters<typeof dropSchema>[0])
    for (const node of [sql, ...workers])
      expect(await node`select from pg_namespace where nspname = 'sti'`).toHaveLength(0)
  },
)

citusTest('the flag is rolled back while a node does not answer, which is named', async (cluster) => {
  const { url, sql, workerUrls } = cluster
  for (const statement of [CREATE, DISTRIBUTE, FILL]) await sql.unsafe(statement)
  const lost = new URL(workerUrls[1]!)
  const database = lost.pathname.slice(1)
  lost.pathname = '/postgres'
  const admin = postgres(lost.href, { max: 1, onnotice: () => undefined })
  try {
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await finalizeRollout(agent)
        await admin.unsafe(`alter database ${database} allow_connections false`)
        await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${database}`
        await agent.run('rollback', { scope: 'flag', confirm: 'vehicles' })
        await expect(agent.rollout()).rejects.toThrow(`node ${lost.host} does not answer`)
        await admin.unsafe(`alter database ${database} allow_connections true`)
        expect(
          findCheck(await validate(agent, { checks: ['dual-write-conflicts'] }), 'dual-write-conflicts'),
        ).toMatchObject({ verdict: 'pass' })
      },
      QUIET_LOG,
    )
  } finally {
    await admin.unsafe(`alter database ${database} allow_connections true`)
    await admin.end({ timeout: 2 })
  }
})
