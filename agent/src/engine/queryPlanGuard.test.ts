import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Database, type Sql } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import type { KeyColumn } from '../rollout/rollout.ts'
import { batchParameters, batchStatement, BATCH_ROWS_FIRST_PARAMETER, type Batch } from './batch.ts'
import type { ColumnUpdate, RowCondition } from './columnUpdate.ts'
import { CTID_KEY, blockStart } from './ctid.ts'
import type { Lane } from './lane.ts'
import { rejectFullScan, type PlannedStatement } from './queryPlanGuard.ts'
import { rangeCondition } from './keyRange.ts'

const TABLE = { schema: 'app', name: 'things', sql: '"app"."things"' }
const column = (name: string, type: string): KeyColumn => ({ name, sql: `"${name}"`, type, operators: null })

interface KeyShape {
  readonly key: readonly KeyColumn[]
  readonly create: string
  readonly low: readonly string[]
  readonly high: readonly string[]
}

const ROWS = 120_000
const plain = (id: string, value: string): string =>
  `create table app.things (id ${id} primary key, type text, word text not null);
   insert into app.things select ${value}, null, repeat('x', 100) from generate_series(1, ${ROWS}) n`

const SHAPES: Record<string, KeyShape> = {
  bigint: { key: [column('id', 'bigint')], create: plain('bigint', 'n'), low: ['5000'], high: ['6000'] },
  text: { key: [column('id', 'text')], create: plain('text', `'k' || n`), low: ['k5000'], high: ['k5010'] },
  uuid: {
    key: [column('id', 'uuid')],
    create: plain('uuid', 'gen_random_uuid()'),
    low: ['50000000-0000-0000-0000-000000000000'],
    high: ['50800000-0000-0000-0000-000000000000'],
  },
  composite: {
    key: [column('tenant', 'integer'), column('id', 'bigint')],
    create: `create table app.things (tenant int, id bigint, type text, word text not null, primary key (tenant, id));
      create index only_tenant on app.things (tenant);
      insert into app.things select n % 40, n, null, repeat('x', 100) from generate_series(1, ${ROWS}) n`,
    low: ['7', '5000'],
    high: ['8', '3000'],
  },
  partitioned: {
    key: [column('id', 'bigint')],
    create: `create table app.things (id bigint primary key, type text, word text not null) partition by hash (id);
      create table app.one partition of app.things for values with (modulus 2, remainder 0);
      create table app.two partition of app.things for values with (modulus 2, remainder 1);
      insert into app.things select n, null, repeat('x', 100) from generate_series(1, ${ROWS}) n`,
    low: ['5000'],
    high: ['6000'],
  },
}

const LANE: Lane = {
  operation_id: 1n,
  number: 1,
  relation: null,
  low: null,
  high: null,
  position: null,
  range_state: null,
  passed_rows: 0n,
  written_rows: 0n,
  failed_rows: 0n,
  batches: 0n,
  finished: false,
  claim: '00000000-0000-4000-8000-000000000000',
  epoch: 1n,
}

/** The statement of a batch, with a stripe and with unmapped rows. */
function batch(
  key: readonly KeyColumn[],
  relation: string,
  rows: RowCondition,
  keyColumns: readonly KeyColumn[],
): PlannedStatement {
  const change: ColumnUpdate = {
    inShards: null,
    rollout: 'things',
    key,
    column: '"type"',
    value: `'A'`,
    needsUpdate: `t."type" is distinct from 'A'`,
    unmapped: 't.word is null',
  }
  const planned: Batch = {
    relation: { sql: relation, oid: 1 },
    rows,
    maxLinePointer: 12,
    nextPosition: null,
    passedRows: 1,
    unmappedRecording: 'counted',
    flush: false,
  }
  return {
    table: TABLE,
    keyColumns,
    statement: batchStatement(change, planned),
    values: batchParameters(change, LANE, planned),
  }
}

/** A batch by key, and the query that a validation runs on a range. */
function batches({ key, low, high }: KeyShape): [writing: PlannedStatement, reading: PlannedStatement] {
  const range = { low, high, rows: 1000 }
  const { condition, values } = rangeCondition({ table: TABLE, key }, range, 1)
  return [
    batch(key, TABLE.sql, rangeCondition({ table: TABLE, key }, range, BATCH_ROWS_FIRST_PARAMETER), key),
    {
      table: TABLE,
      keyColumns: key,
      values,
      statement: `select t."type", count(*) from ${TABLE.sql} as t where ${condition} group by 1`,
    },
  ]
}

function byCtid(relation: string): PlannedStatement {
  const range = { low: blockStart(10), high: blockStart(20), rows: 1000 }
  const rows = rangeCondition({ table: TABLE, key: CTID_KEY }, range, BATCH_ROWS_FIRST_PARAMETER)
  return batch([column('id', 'bigint')], relation, rows, CTID_KEY)
}

async function withThings(
  create: string,
  use: (context: { sql: Sql; engine: () => Sql; database: Database }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql: root }) => {
    await root.unsafe(`create schema app; ${create}`)
    await root`vacuum analyze app.things`
    const database = connect(url, 'a')
    await migrate(database, false)
    const open: Sql[] = []
    const engine = (): Sql => {
      const session = database.engine({ purpose: 'plan' })
      open.push(session)
      return session
    }
    try {
      await use({ sql: database.state, engine, database })
    } finally {
      await Promise.all(open.map((session) => session.end({ timeout: 1 })))
      await database.close()
    }
  })
}

test.each(Object.entries(SHAPES))('batches by key and by ctid have good plans: %s', async (name, shape) => {
  await withThings(shape.create, async ({ engine, sql }) => {
    const session = engine()
    for (const planned of batches(shape)) await rejectFullScan(session, planned)
    const tables = name === 'partitioned' ? ['app.one', 'app.two'] : [TABLE.sql]
    for (const table of tables) await rejectFullScan(session, byCtid(table))
    // EXPLAIN has executed nothing.
    expect(await sql`select 1 from app.things where type is not null limit 1`).toEqual([])
  })
})

test('a missing or invalid index on the key is named, with the remedy', async () => {
  await withThings(SHAPES['bigint']!.create, async ({ engine, sql }) => {
    const [writing] = batches(SHAPES['bigint']!)
    await sql`update pg_index set indisvalid = false where indexrelid = 'app.things_pkey'::regclass`
    await expect(rejectFullScan(engine(), writing)).rejects.toMatchObject({
      code: 'plan',
      message: expect.stringMatching(
        /^Each batch would read all of app\.things \([\d,]+ pages\): its index app\.things_pkey on the key \("id"\) is invalid\. Run REINDEX INDEX CONCURRENTLY app\.things_pkey, then start again\.$/,
      ) as string,
    })
    await sql`update pg_index set indisvalid = true where indexrelid = 'app.things_pkey'::regclass`
    await sql`alter table app.things drop constraint things_pkey`
    await expect(rejectFullScan(engine(), writing)).rejects.toThrow(
      /no index on its key \("id"\)\. Run CREATE UNIQUE INDEX CONCURRENTLY ON app\.things \("id"\)/,
    )
    // A batch with most of the table may read all of it.
    await rejectFullScan(engine(), { ...writing, tableShare: 0.5 })
  })
})

test('a partition without its index is named', async () => {
  await withThings(SHAPES['partitioned']!.create, async ({ engine, sql }) => {
    const [writing] = batches(SHAPES['partitioned']!)
    await sql`update pg_index set indisvalid = false where indexrelid = 'app.two_pkey'::regclass`
    await expect(rejectFullScan(engine(), writing)).rejects.toThrow(/read all of app\.two \(.*index app\.two_pkey/)
  })
})

test('settings of the agent’s role cannot prevent the good plan', async () => {
  await withThings(SHAPES['bigint']!.create, async ({ engine, sql }) => {
    const [writing] = batches(SHAPES['bigint']!)
    const [{ name } = { name: '' }] = await sql<{ name: string }[]>`select current_database() as name`
    for (const setting of ['enable_indexscan', 'enable_bitmapscan', 'enable_indexonlyscan', 'enable_tidscan'])
      await sql.unsafe(`alter database ${name} set ${setting} = off`)
    await rejectFullScan(engine(), writing)
    await rejectFullScan(engine(), byCtid(TABLE.sql))
  })
})

test('a full index scan is refused like a full table scan', async () => {
  await withThings(SHAPES['bigint']!.create, async ({ engine, sql }) => {
    await sql`alter table app.things drop constraint things_pkey`
    await sql`create index on app.things (word, id)`
    const [{ name } = { name: '' }] = await sql<{ name: string }[]>`select current_database() as name`
    await sql.unsafe(`alter database ${name} set enable_seqscan = off`)
    const [, reading] = batches(SHAPES['bigint']!)
    const statement = `select t.word from app.things as t where t.word <> 'y' order by t.word`
    await expect(rejectFullScan(engine(), { ...reading, statement, values: [] })).rejects.toThrow(
      /read all of app\.things/,
    )
  })
})

test('a table of a few pages may be read completely', async () => {
  await withThings(
    `create table app.things (id bigint, type text, word text); insert into app.things select n from generate_series(1, 1000) n`,
    async ({ engine }) => {
      const [writing] = batches(SHAPES['bigint']!)
      await rejectFullScan(engine(), writing)
    },
  )
})
