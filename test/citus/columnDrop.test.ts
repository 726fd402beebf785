import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import { inspectColumnDrop } from '../../agent/src/columnDrop/inspectColumnDrop.ts'
import { wrapInTransaction } from '../../agent/src/columnDrop/migration/migrationFiles.ts'
import { connect } from '../../agent/src/database/connect.ts'
import type { FailpointName } from '../../agent/src/kind/failpoints.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import { inspectTable } from '../../agent/src/rollout/inspectTable.ts'
import { splitStatements } from '../../agent/src/rollout/sqlParser.ts'
import { findColumnDropCheck, PREPARATION_DEFAULTS, validateIntegrity } from '../column-drop/enabledRollout.ts'
import { runMigration } from '../column-drop/runMigration.ts'
import { startAgentRelay } from '../crash/agentRelay.ts'
import { withAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import type { CitusDatabase } from '../support/citusDatabase.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { enable, prepare } from './columnDropSteps.ts'

const FILE = `${VEHICLES_FILE}soak: 1s\n`
const ROWS = 3_000
/** Before the archive exists, within its copy, and while it is compared. */
const CRASH_POINTS: FailpointName[] = ['archive.made', 'archive.copied', 'archive.compared']
const TYPES = ['Truck', 'Bike', 'Car'] as const

interface Kind {
  readonly table: string
  readonly manage: string
  readonly archive: string
}

const DISTRIBUTED: Kind = {
  table: 'public.vehicles',
  manage: `select create_distributed_table('public.vehicles', 'id', shard_count => 6)`,
  archive: 'sti.columns_vehicles',
}
const KINDS: readonly Kind[] = [
  DISTRIBUTED,
  {
    table: 'tenant.vehicles',
    manage: `select citus_schema_distribute('tenant')`,
    archive: 'tenant.sti_columns_vehicles',
  },
  {
    table: 'public.vehicles',
    manage: `select citus_add_local_table_to_metadata('public.vehicles')`,
    archive: 'sti.columns_vehicles',
  },
]

async function createTable({ sql }: CitusDatabase, { table, manage }: Kind): Promise<void> {
  const [schema] = table.split('.')
  if (schema !== 'public') await sql.unsafe(`create schema ${schema}`)
  await sql.unsafe(
    `create table ${table} (id int primary key, name text, is_truck boolean not null, is_bike boolean not null)`,
  )
  await sql.unsafe(manage)
  await sql.unsafe(`insert into ${table} select n, 'v' || n, n % 3 = 0, n % 3 = 1 from generate_series(1, ${ROWS}) n`)
  await sql.unsafe(`create index on ${table} (is_truck, is_bike)`)
}

const fileOf = ({ table }: Kind): string => FILE.replace('public.vehicles', table)

/** Rows of which the archive does not have the same values, read by Citus on every shard. */
async function differingRows({ sql }: CitusDatabase, { table, archive }: Kind): Promise<number> {
  const [row] = await sql.unsafe<{ differing: number }[]>(`
    select count(*)::int as differing from ${table} t full join ${archive} a on a.id = t.id
    where t.id is null or a.id is null or (t.is_truck, t.is_bike, coalesce(t.type, '')) <> (a.is_truck, a.is_bike, coalesce(a.type, ''))`)
  return row!.differing
}

/** What must be in the table: the type of each row by its id. A row whose write failed is left out. */
type Oracle = Map<number, string | null>

/** Writes rows of its own until it is stopped, like old code (the legacy columns) or new code (the type). */
function startWriter(url: string, { table }: Kind, oracle: Oracle, code: 'old' | 'new', lane: number) {
  let stopped = false
  let failed = 0
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  const write = async (id: number, type: string | null, statement: string): Promise<void> => {
    oracle.delete(id)
    await sql.unsafe(statement).then(
      () => oracle.set(id, type),
      () => failed++,
    )
  }
  const run = async (): Promise<void> => {
    for (let n = lane; !stopped; n += 4) {
      const id = ((n * 7919) % (ROWS / 4)) * 4 + lane + 1
      const type = TYPES[n % 3]!
      const values =
        code === 'old' ? `is_truck = ${type === 'Truck'}, is_bike = ${type === 'Bike'}` : `type = '${type}'`
      await write(id, type, `update ${table} set ${values} where id = ${id}`)
      const added = 100_000 + n
      await write(
        added,
        type,
        code === 'old'
          ? `insert into ${table} (id, name, is_truck, is_bike) values (${added}, 'n', ${type === 'Truck'}, ${type === 'Bike'}) on conflict do nothing`
          : `insert into ${table} (id, name, type) values (${added}, 'n', '${type}') on conflict do nothing`,
      )
      if (n % 5 === 0) await write(added, null, `delete from ${table} where id = ${added}`)
      await sleep(5)
    }
  }
  const running = run()
  return {
    async stop(): Promise<number> {
      stopped = true
      await running
      await sql.end()
      return failed
    },
  }
}

/** Each row has the type of the oracle, and the legacy columns that this type has. */
async function compareWithOracle({ sql }: CitusDatabase, { table }: Kind, oracle: Oracle): Promise<void> {
  const rows = await sql.unsafe<{ id: number; type: string; is_truck: boolean; is_bike: boolean }[]>(
    `select id, type, is_truck, is_bike from ${table}`,
  )
  const found = new Map(rows.map((row) => [row.id, row]))
  const wrong = [...oracle].filter(([id, type]) => (found.get(id)?.type ?? null) !== type)
  expect(wrong).toEqual([])
  expect(
    rows.filter(({ type, is_truck, is_bike }) => is_truck !== (type === 'Truck') || is_bike !== (type === 'Bike')),
  ).toEqual([])
  for (let id = 1; id <= ROWS; id++) expect(found.has(id)).toBe(true)
}

/** Objects of an archive, its functions and triggers on any node, and prepared transactions. */
async function leftovers({ sql, workers }: CitusDatabase): Promise<string[]> {
  // Citus removes the earlier copies of moved shards some seconds later by itself.
  await sql`call citus_cleanup_orphaned_resources()`
  const found = await Promise.all(
    [sql, ...workers].map(
      (node) => node<{ name: string }[]>`
        select relname::text as name from pg_class where relname ~ '^(sti_)?columns_' and relkind = 'r'
        union all select tgname::text from pg_trigger where tgname like '~sti\_archive%'
        union all select nspname::text from pg_namespace where nspname like 'sti\_trial%'
        union all select proname::text from pg_proc where proname like 'keep\_%' and pronamespace = 'sti'::regnamespace`,
    ),
  )
  return found.flat().map(({ name }) => name)
}

/** Sends one statement after another, as psql does with a file. */
async function runLikePsql(url: string, text: string): Promise<void> {
  const connection = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    for (const statement of splitStatements(wrapInTransaction(text))) await connection.unsafe(statement.text)
  } finally {
    await connection.end()
  }
}

async function moveShards({ sql }: CitusDatabase, mode: 'block_writes' | 'force_logical'): Promise<void> {
  const shards = await sql<{ shardid: number }[]>`
    select min(shardid)::int as shardid from pg_dist_shard join pg_dist_shard_placement using (shardid)
    where logicalrelid = 'public.vehicles'::regclass group by nodeport`
  for (const { shardid } of shards)
    await sql`
      select citus_move_shard_placement(s.shardid, s.nodename, s.nodeport, n.nodename, n.nodeport, shard_transfer_mode => ${mode}::citus.shard_transfer_mode)
      from (select shardid, nodename, nodeport from pg_dist_shard_placement where shardid = ${shardid}) s
      join lateral (select * from pg_dist_node where shouldhaveshards and (nodename, nodeport) <> (s.nodename, s.nodeport) limit 1) n on true`
}

for (const kind of KINDS) {
  citusTest(
    `archive, migration, undo and removal while writers write: ${kind.manage}`,
    async (cluster) => {
      const { url, sql } = cluster
      await createTable(cluster, kind)
      const oracle: Oracle = new Map()
      for (let id = 1; id <= ROWS; id++) oracle.set(id, TYPES[id % 3]!)
      await withAgent(url, fileOf(kind), async (agent) => {
        await enable(agent)
        const writers = [0, 1].map((lane) => startWriter(url, kind, oracle, lane === 0 ? 'old' : 'new', lane))
        const prepared = await prepare(agent, { validateData: true })
        expect(findColumnDropCheck(prepared, 'trial-on-copy')).toMatchObject({ verdict: 'pass' })
        expect((await agent.rollout()).faults).toEqual([])
        expect(await Promise.all(writers.map((writer) => writer.stop()))).toEqual([0, 0])
        expect(await differingRows(cluster, kind)).toBe(0)
        await compareWithOracle(cluster, kind, oracle)

        const { up, down } = prepared.migration!
        const newCode = [2, 3].map((lane) => startWriter(url, kind, oracle, 'new', lane))
        await sleep(200)
        await runMigration(url, up)
        await runLikePsql(url, up)
        expect((await agent.rollout()).stage).toBe('dropped')
        await sleep(200)
        await runLikePsql(url, down!)
        await runMigration(url, down!)
        await sleep(200)
        // Also between drop and undo, no write of new code failed.
        expect(await Promise.all(newCode.map((writer) => writer.stop()))).toEqual([0, 0])
        await compareWithOracle(cluster, kind, oracle)
        const [indexes] = await sql.unsafe<{ n: number }[]>(
          `select count(*)::int as n from pg_index where indrelid = '${kind.table}'::regclass and indisvalid and pg_get_indexdef(indexrelid) like '%is_truck%'`,
        )
        expect(indexes).toEqual({ n: 1 })

        await agent.run('archive-removal', { force: true, confirm: 'vehicles' })
        expect(await leftovers(cluster)).toEqual([])
        await compareWithOracle(cluster, kind, oracle)
      })
    },
    300_000,
  )
}

citusTest(
  'moved shards, TRUNCATE, a removed trigger, and a rollback of the data with an archive',
  async (cluster) => {
    const { url, sql } = cluster
    const kind = DISTRIBUTED
    await createTable(cluster, kind)
    await withAgent(url, FILE, async (agent) => {
      await enable(agent)
      const { migration } = await prepare(agent)
      const oracle: Oracle = new Map()
      const writer = startWriter(url, kind, oracle, 'old', 0)
      await moveShards(cluster, 'block_writes')
      await moveShards(cluster, 'force_logical')
      await writer.stop()
      expect(await differingRows(cluster, kind)).toBe(0)
      await sql`update public.vehicles set is_truck = true, is_bike = false where id between 11 and 60`
      for (let id = 11; id <= 60; id++) oracle.set(id, 'Truck')
      expect(await differingRows(cluster, kind)).toBe(0)
      await runMigration(url, migration!.up)
      await runMigration(url, migration!.down!)
      await compareWithOracle(cluster, kind, oracle)

      // The archive of the drop that was undone is replaced.
      await validateIntegrity(agent)
      await prepare(agent)
      // What somebody writes past the triggers is repaired: another value, a row too few, and a row after the last one.
      await sql`update sti.columns_vehicles set is_truck = not is_truck where id = 5`
      await sql`delete from sti.columns_vehicles where id = 6`
      await sql`insert into sti.columns_vehicles (id, is_truck, is_bike, type) values (9000000, true, false, 'Truck')`
      expect(await differingRows(cluster, kind)).toBe(3)
      const again = await prepare(agent)
      expect(await differingRows(cluster, kind)).toBe(0)
      await sql`truncate public.vehicles`
      expect(await sql`select count(*)::int as n from sti.columns_vehicles`).toEqual([{ n: 0 }])
      await sql`insert into public.vehicles (id, name, type) select n, 'n', 'Bike' from generate_series(1, 50) n`
      expect(await differingRows(cluster, kind)).toBe(0)

      // A shard without the trigger: the archive misses a row, which the migration finds under its lock.
      const [shard] = await sql<{ name: string; nodeport: number }[]>`
        select shard_name(logicalrelid, shardid) as name, nodeport from pg_dist_shard join pg_dist_shard_placement using (shardid)
        where shardid = get_shard_id_for_distribution_column('public.vehicles', 7)`
      await sql`
        select run_command_on_workers(format('alter table if exists %s disable trigger all', ${shard!.name}::text))`
      await sql`update public.vehicles set type = 'Car' where id = 7`
      await expect(runMigration(url, again.migration!.up)).rejects.toThrow(/1 rows of the archive differ/)
      const { columns } = await sql`select * from public.vehicles limit 0`
      expect(columns.map(({ name }) => name)).toContain('is_truck')

      const { result } = await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
      expect(result).toMatchObject({ origin: { structure: 'as before expand' } })
      expect(await leftovers(cluster)).toEqual([])
    })
  },
  300_000,
)

citusTest(
  'an agent that dies while it archives resumes, and a system rollback leaves nothing',
  async (cluster) => {
    const { url, sql } = cluster
    await createTable(cluster, DISTRIBUTED)
    await withAgent(url, FILE, enable)
    const died: string[] = []
    const oracle: Oracle = new Map()
    const writer = startWriter(url, DISTRIBUTED, oracle, 'old', 0)
    // Each agent dies at the first of these that it reaches; the next one takes over.
    const relay = await startAgentRelay(url, sql, FILE, {
      points: new Set(CRASH_POINTS),
      how: () => ({ arrival: 1, delayMs: 0 }),
      died: (point) => Promise.resolve(void died.push(point)),
    })
    try {
      await relay.run('column-drop', PREPARATION_DEFAULTS)
      await writer.stop()
      expect(died.toSorted()).toEqual(CRASH_POINTS.toSorted())
    } finally {
      await relay.stop()
    }
    expect(await differingRows(cluster, DISTRIBUTED)).toBe(0)
    await compareWithOracle(cluster, DISTRIBUTED, oracle)
    await withAgent(url, FILE, async (agent) => {
      const { result } = await agent.run('rollback', { scope: 'system', confirm: 'vehicles' })
      expect(result).toMatchObject({ left: [], origin: { structure: 'as before expand' } })
    })
    expect(await leftovers(cluster)).toEqual([])
  },
  300_000,
)

citusTest('what the undo could not restore in shards is named before expand', async (cluster) => {
  const { url, sql } = cluster
  await createTable(cluster, DISTRIBUTED)
  await sql`alter table public.vehicles add column code int default 7, add column draw float default random()`
  const file = FILE.replace('legacyColumns: [is_truck, is_bike]', 'legacyColumns: [is_truck, is_bike, code, draw]')
  const { rollout, faults } = compileRollout('v.yaml', file)
  expect(faults).toEqual([])
  const database = connect(url, 'test')
  try {
    const reader = database.engine({ readOnly: true })
    const findings = await inspectColumnDrop(reader, rollout!, await inspectTable(database.state, rollout!))
    const undo = findings.filter(({ text }) => text.includes('undo-possible'))
    expect(undo).toHaveLength(1)
    expect(undo[0]!.objects).toEqual([
      expect.stringMatching(/"draw" has the default random\(\), which Citus cannot give/),
    ])
    await reader.end()
  } finally {
    await database.close()
  }
})
