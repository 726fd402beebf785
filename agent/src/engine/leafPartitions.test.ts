import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Database } from '../database/connect.ts'
import { isDroppedPartition, readLeafPartitions } from './leafPartitions.ts'

async function inDatabase(use: (database: Database, sql: postgres.Sql) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'a')
    try {
      await use(database, sql)
    } finally {
      await database.close()
    }
  })
}

async function pages(sql: postgres.Sql, table: string): Promise<number> {
  const [row] = await sql<{ pages: number }[]>`select (pg_relation_size(${table}::text::regclass) / 8192)::int as pages`
  return row!.pages
}

test('leaf partitions are read from every level; a plain table is its own leaf', async () => {
  await inDatabase(async ({ state }, sql) => {
    await sql.unsafe(`
      create schema "My Parts";
      create table public.plain as select n from generate_series(1, 1000) n;
      create table public.rows (id int, n int) partition by range (id);
      create table public.first partition of public.rows for values from (0) to (10);
      create table "My Parts"."Second One" partition of public.rows for values from (10) to (20) partition by hash (n);
      create table "My Parts"."Leaf" partition of "My Parts"."Second One" for values with (modulus 2, remainder 0)`)
    const [plain] = await readLeafPartitions(state, 'public.plain')
    const { oid, filenode, ...rest } = plain!
    expect(rest).toEqual({
      schema: 'public',
      name: 'plain',
      sql: 'public.plain',
      blocks: await pages(sql, 'public.plain'),
      rowsPerBlock: 50,
      nodes: 1,
    })
    expect([oid, filenode].every((number) => typeof number === 'number' && number > 0)).toBe(true)
    const leaves = await readLeafPartitions(state, 'public.rows')
    expect(leaves.map((leaf) => leaf.sql)).toEqual(['public.first', '"My Parts"."Leaf"'])
    expect(leaves.map((leaf) => leaf.blocks)).toEqual([0, 0])
  })
})

test('rows per page come from the statistics; a rewritten table has another file', async () => {
  await inDatabase(async ({ state }, sql) => {
    await sql.unsafe(`create table public.rows as select n from generate_series(1, 1000) n; analyze public.rows`)
    const [before] = await readLeafPartitions(state, 'public.rows')
    expect(before!.rowsPerBlock).toBe(1000 / (await pages(sql, 'public.rows')))
    await sql`vacuum (truncate off) public.rows`
    expect((await readLeafPartitions(state, 'public.rows'))[0]).toMatchObject({
      oid: before!.oid,
      filenode: before!.filenode,
    })
    await sql`vacuum full public.rows`
    const [after] = await readLeafPartitions(state, 'public.rows')
    expect(after!.oid).toBe(before!.oid)
    expect(after!.filenode).not.toBe(before!.filenode)
  })
})

test('a missing table is reported', async () => {
  await inDatabase(async ({ state }) => {
    await expect(readLeafPartitions(state, 'public.nothing')).rejects.toThrow(
      /^public\.nothing does not exist\. The table was dropped/,
    )
    await expect(readLeafPartitions(state, 'public.nothing', 1)).rejects.toThrow(
      /^public\.nothing does not exist\. The table was dropped/,
    )
  })
})

test('one leaf partition is read until it is dropped or detached', async () => {
  await inDatabase(async ({ state }, sql) => {
    await sql.unsafe(`
      create table public.plain (id int);
      create table public.rows (id int) partition by range (id);
      create table public.parts partition of public.rows for values from (0) to (20) partition by range (id);
      create table public.first partition of public.parts for values from (0) to (10);
      create table public.second partition of public.parts for values from (10) to (20)`)
    const [plain] = await readLeafPartitions(state, 'public.plain')
    expect(await readLeafPartitions(state, 'public.plain', plain!.oid)).toEqual([plain])
    expect(await readLeafPartitions(state, 'public.rows', plain!.oid)).toEqual([])
    const [first, second] = await readLeafPartitions(state, 'public.rows')
    expect(await readLeafPartitions(state, 'public.rows', first!.oid)).toEqual([first])
    const missing = await sql`select from public.nothing`.catch((error: unknown) => error)
    expect(await isDroppedPartition(state, 'public.rows', second!.oid, missing)).toBe(false)
    await sql`drop table public.first`
    await sql`alter table public.parts detach partition public.second`
    for (const { oid } of [first!, second!]) {
      expect(await readLeafPartitions(state, 'public.rows', oid)).toEqual([])
      expect(await isDroppedPartition(state, 'public.rows', oid, missing)).toBe(true)
      expect(await isDroppedPartition(state, 'public.rows', oid, new Error('another one'))).toBe(false)
    }
  })
})

test('a partition without the heap access method is refused by name', async () => {
  await inDatabase(async ({ state }, sql) => {
    await sql.unsafe(`
      create extension file_fdw;
      create server files foreign data wrapper file_fdw;
      create table public.rows (id int) partition by range (id);
      create table public.near partition of public.rows for values from (0) to (10);
      create foreign table public.far partition of public.rows for values from (10) to (20) server files options (filename '/dev/null')`)
    await expect(readLeafPartitions(state, 'public.rows')).rejects.toThrow(
      /^public\.far does not use the heap access method \(foreign table\)/,
    )
  })
})
