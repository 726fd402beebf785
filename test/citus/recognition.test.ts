import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { citusTest } from '../support/citus.ts'
import type { CitusDatabase } from '../support/citusDatabase.ts'
import { withSti } from '../support/stiCommand.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'

const createTable = async (sql: CitusDatabase['sql'], table: string): Promise<void> => {
  await sql.unsafe(`create table ${table} (id int primary key, is_truck boolean not null, is_bike boolean not null)`)
  await sql.unsafe(`insert into ${table} select n, n % 3 = 0, n % 3 = 1 from generate_series(1, 1000) n`)
}
const fileOf = (table: string): string => VEHICLES_FILE.replace('public.vehicles', table)

/** The kinds of tables that Citus manages: how one is made, what is said, and the way back to a plain table, which a refusal names. */
const MANAGED = [
  {
    table: 'public.split',
    refused: false,
    make: ["select create_distributed_table('public.split', 'id', shard_count => 4)"],
    said: /splits "public"\."split" by id into 4 shards on \d nodes?/,
    way: ['SELECT undistribute_table(\'"public"."split"\')'],
  },
  {
    table: 'public.copied',
    refused: true,
    make: ["select create_reference_table('public.copied')"],
    said: /keeps a copy of "public"\."copied", a reference table, on \d nodes/,
    way: ['SELECT undistribute_table(\'"public"."copied"\')'],
  },
  {
    table: 'tenant.vehicles',
    refused: false,
    make: ['create schema tenant', "select citus_schema_distribute('tenant')"],
    said: /on the node of its schema "tenant" \(schema-based sharding\)/,
    way: ['SELECT citus_schema_undistribute(\'"tenant"\')'],
  },
  {
    table: 'public.managed',
    refused: false,
    make: ["select citus_add_local_table_to_metadata('public.managed')"],
    said: /manages "public"\."managed" as a local table of one node/,
    way: ['SELECT undistribute_table(\'"public"."managed"\')'],
  },
]

citusTest(
  'each kind of table that Citus manages is named with what is refused before anything is touched, and the way exists',
  async (cluster) => {
    const { url, sql } = cluster
    await withSti(async (sti, folder) => {
      for (const { table, make, said, way, refused } of MANAGED) {
        const [schema, ...rest] = table.startsWith('tenant') ? make : ['select 1', ...make]
        await sql.unsafe(schema!)
        await createTable(sql, table)
        for (const statement of rest) await sql.unsafe(statement)
        await writeFile(join(folder, 'v.yaml'), fileOf(table))
        const { code, out, err } = await sti(null, 'check', 'v.yaml', '--database', url)
        expect(code).toBe(refused ? 1 : 0)
        expect(out + err).toMatch(said)
        if (!refused) expect(out).toMatch(/Backfill\n +! Citus .*The throttle reads every node/)
        for (const statement of way) {
          if (refused) expect(out + err).toContain(statement)
          await sql.unsafe(statement)
        }
        expect((await sti(null, 'check', 'v.yaml', '--database', url)).out).not.toContain('Citus')
      }
    })
  },
)

citusTest(
  'expand of a reference table says why it is refused, and touches nothing',
  async ({ url, sql, workerUrls }) => {
    await createTable(sql, 'public.vehicles')
    await sql`select create_reference_table('public.vehicles')`
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const { reasons } = await agent.preview('expand')
      expect(reasons.join(' ')).toMatch(/a reference table, on \d nodes, and its copies/)
      await expect(agent.request('expand')).rejects.toThrow(/undistribute_table/)
      expect((await agent.rollout()).faults.join(' ')).toMatch(/undistribute_table/)
      expect(
        await sql`select from information_schema.columns where table_name = 'vehicles' and column_name = 'type'`,
      ).toHaveLength(0)
    })
    await withSti(async (sti, folder) => {
      await writeFile(join(folder, 'v.yaml'), VEHICLES_FILE)
      const refused = await sti(null, 'check', 'v.yaml', '--database', workerUrls[0]!)
      expect(refused.err).toMatch(/this connection is to a worker node.*the address of the coordinator/)
    })
  },
)

citusTest(
  'a plain table of a coordinator goes the whole way, also where new schemas are distributed',
  async ({ url, sql }) => {
    const { database } = (await sql<{ database: string }[]>`select current_database() as database`)[0]!
    await createTable(sql, 'public.vehicles')
    await sql.unsafe(`alter database ${database} set citus.enable_schema_based_sharding = on`)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
      await agent.run('flag', { enabled: true, percentage: 100 })
      await agent.run('rollback', { scope: 'system', confirm: 'vehicles' })
      expect(await sql`select from pg_dist_schema`).toHaveLength(0)
    })
  },
)
