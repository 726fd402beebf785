import postgres from 'postgres'
import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { createVehicles, VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { connect, type Sql } from '../database/connect.ts'
import { compileRollout } from '../rollout/compileRollout.ts'
import { inspectTable } from '../rollout/inspectTable.ts'
import { isTypeUsed } from './usesOfType.ts'

/** Statements of an application, and if the type is used by them. */
const APPLICATIONS: readonly (readonly [statements: readonly string[], isUsed: boolean])[] = [
  // Active Record with the columns of the time before expand: `type` of another table, or of the catalog, is no use.
  [
    [
      'select v.id, v.is_truck from vehicles v where v.id = 1 limit 1',
      "insert into vehicles (name, is_truck, is_bike) values ('a', true, false) returning id",
      'select o.type from owners o join vehicles v on v.id = o.id',
      "select count(*) from vehicles where 'type' <> id::text",
    ],
    false,
  ],
  [['select "vehicles"."id", "vehicles"."type" from "vehicles" limit 1'], true],
  [['select * from vehicles limit 1'], true],
  [['update vehicles set type = null where id = 1'], true],
  [["insert into public.vehicles (name, is_truck, is_bike, type) values ('b', true, false, null)"], true],
  [['with found as (select type from vehicles where id = 2) select count(*) from found'], true],
  [['copy vehicles (id, type) to stdout'], true],
  [['select kind from fleet limit 1'], true],
]

test('the type is used by name, through *, and through a view, and not by statements that do not know it', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(`
      alter table vehicles add column type text;
      create table owners (id bigint, type text);
      create view fleet as select id, type as kind from vehicles`)
    const rollout = compileRollout('vehicles.yaml', VEHICLES_FILE).rollout!
    const database = connect(url, 'test')
    try {
      const { state } = database
      const table = await inspectTable(state, rollout)
      for (const [statements, isUsed] of APPLICATIONS) {
        await sql`select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)`
        for (const statement of statements) await sql.unsafe(statement)
        expect([statements, await isTypeUsed(state, rollout, table)]).toEqual([statements, isUsed])
      }
      // A role without rights reads no texts.
      const stranger = postgres(url, { max: 1, connection: { role: 'pg_signal_backend' } })
      expect(await isTypeUsed(stranger as unknown as Sql, rollout, table)).toBeNull()
      await stranger.end()
    } finally {
      await database.close()
    }
  })
})
