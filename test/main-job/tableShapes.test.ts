import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { EXPECTED_TYPE_SQL, rolloutFile, JOB_TABLE_SHAPES, type JobTableShape } from './tableShapes.ts'

test.each(JOB_TABLE_SHAPES)(
  'the whole rollout of a table with $name and its rollback restore everything',
  async (shape) => {
    await withDatabase(async ({ url, sql }) => {
      await sql.unsafe(`create schema app; create extension pg_stat_statements; ${shape.create}; analyze`)
      const [rows, schema] = [await rowsOf(sql, shape), await schemaOf(sql, shape)]
      expect(rows.length).toBe(300)
      await withAgent(url, rolloutFile(shape), async (agent) => {
        await agent.run('expand')
        const backfill = await agent.run('backfill', { batchSize: 70 })
        const failedRows = shape.unmapped ?? 0
        expect(backfill.result).toMatchObject({
          passedRows: rows.length,
          writtenRows: rows.length - failedRows,
          failedRows,
        })
        if (failedRows > 0) await acceptAll(agent, failedRows)
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', rows: rows.length })
        await agent.run('finalize')
        expect(await agent.rollout()).toMatchObject({ stage: 'finalized' })
        await compareWithOracle(sql, shape)
        await agent.run('flag', { enabled: true })
        await agent.run('rollback', { scope: 'data', full: true, confirm: 'things' })
      })
      expect(await rowsOf(sql, shape)).toEqual(rows)
      expect(await schemaOf(sql, shape)).toEqual(schema)
      const [open] = await sql`select count(*)::int as changes from sti.change where reverted_at is null`
      expect(open!.changes).toBe(0)
      // Removes schema sti as in docs/operations.md: nothing outside of the schema depends on it.
      await sql.unsafe('drop schema sti cascade')
      expect(await rowsOf(sql, shape)).toEqual(rows)
      expect(await schemaOf(sql, shape)).toEqual(schema)
    })
  },
)

async function acceptAll(agent: TestAgent, count: number): Promise<void> {
  const { failedRows } = await agent.get<{ failedRows: { key: string[] }[] }>('/v1/rollouts/things/failed-rows')
  expect(failedRows.length).toBe(count)
  const keys = failedRows.map((row) => row.key)
  const { status, body } = await agent.post('/v1/rollouts/things/failed-rows/accept', { keys, reason: 'known' })
  expect({ status, body }).toEqual({ status: 200, body: { accepted: count } })
}

const tableOf = ({ table }: JobTableShape): string => table.replaceAll("'", '')

async function compareWithOracle(sql: postgres.Sql, shape: JobTableShape): Promise<void> {
  const column = shape.column?.replaceAll("'", '') ?? 'type'
  const wrong = await sql.unsafe(
    `select * from ${tableOf(shape)} where ${column}::text is distinct from (${shape.expected ?? EXPECTED_TYPE_SQL})`,
  )
  expect(wrong).toEqual([])
  const [plan] = await sql.unsafe(
    `select count(*)::int as kinds from pg_stats where attname = replace('${column}', '"', '')`,
  )
  expect(plan!.kinds).toBeGreaterThan(0)
}

async function rowsOf(sql: postgres.Sql, shape: JobTableShape): Promise<unknown[]> {
  const rows = await sql.unsafe(`select to_jsonb(t) as row from ${tableOf(shape)} t order by ${shape.key}`)
  return rows.map((row) => row['row'] as unknown)
}

/** Everything that is visible about the table and its partitions. */
async function schemaOf(sql: postgres.Sql, shape: JobTableShape): Promise<unknown> {
  const [row] = await sql.unsafe(
    `with tree as (select '${tableOf(shape).replaceAll("'", "''")}'::regclass as oid
       union select relid from pg_partition_tree('${tableOf(shape).replaceAll("'", "''")}'))
     select
      (select jsonb_agg(jsonb_build_array(attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
          attgenerated, pg_get_expr(adbin, adrelid)) order by attrelid, attname)
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid in (select oid from tree) and attnum > 0 and not attisdropped) as columns,
      (select jsonb_agg(jsonb_build_array(conrelid::regclass, conname, pg_get_constraintdef(oid)) order by conrelid, conname)
        from pg_constraint where conrelid in (select oid from tree)) as constraints,
      (select jsonb_agg(pg_get_indexdef(indexrelid) order by indexrelid) from pg_index where indrelid in (select oid from tree)) as indexes,
      (select jsonb_agg(jsonb_build_array(pg_get_triggerdef(oid), tgenabled) order by tgrelid, tgname)
        from pg_trigger where tgrelid in (select oid from tree)) as triggers,
      (select jsonb_agg(proname) from pg_proc where pronamespace = (select oid from pg_namespace where nspname = 'sti')
        and proname not in ('append_event', 'record_conflict', 'record_correction')) as functions`,
  )
  return { ...row, functions: row!['functions'] ?? null }
}
