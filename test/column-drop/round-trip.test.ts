import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { wrapInTransaction } from '../../agent/src/columnDrop/migration/migrationFiles.ts'
import { findMissingReverseSync, findTriggerFault } from '../../agent/src/dualWrite/verifyTrigger.ts'
import { dumpSchema, PG_DUMP_PATH, readTableSchema } from './schemaDump.ts'
import { withColumnDropEnvironment } from './testEnvironment.ts'
import {
  rolloutFile,
  flagColumns,
  shapeKey,
  DROP_TABLE_SHAPES,
  shapeTable,
  keyValues,
  type DropTableShape,
} from './tableShapes.ts'

afterAll(() => {
  if (PG_DUMP_PATH === null) console.log('no pg_dump of PostgreSQL 18: schemas were compared by catalog queries')
})

test.each(DROP_TABLE_SHAPES)('the columns of a table with $name are dropped and restored', async (shape) => {
  await withColumnDropEnvironment(shape.create, rolloutFile(shape), async (ground) => {
    const { sql, url } = ground
    const schema = await readTableSchema(sql, shapeTable(shape))
    const dump = PG_DUMP_PATH === null ? [] : dumpSchema(url)
    await ground.keepArchive()
    await writesBefore(sql, shape)
    expect(await ground.archiveState()).toMatchObject({ complete: true, equal: true, faults: [] })
    const { up, down } = await ground.migration()
    const before = await rowsOf(sql, shape)
    const run = (text: string): Promise<void> => runInOwnConnection(url, text)
    await run(up)
    await run(up)
    expect(await legacyColumnsLeft(sql, shape)).toBe(0)
    expect(Object.keys([...(await rowsOf(sql, shape)).values()][0]!)).not.toContain(unquoteName(flagColumns(shape)[0]))
    await writesAfter(sql, shape)
    await run(down)
    const [a, b] = flagColumns(shape)
    const flip = `set local sti.engine = 'on'; update ${shapeTable(shape)} set ${a} = not ${a} where ${rowCondition(shape, 9)} returning ${a} as a, ${b} as b, type`
    const [, [flipped]] = (await sql.unsafe(flip)) as unknown as [unknown, { a: boolean; b: boolean; type: string }[]]
    await run(down)
    const [again] = await sql.unsafe(
      `select ${a} as a, ${b} as b, type from ${shapeTable(shape)} where ${rowCondition(shape, 9)}`,
    )
    expect(again).toEqual(flipped)
    expect(flipped!.type).toBe(flipped!.a ? 'A' : flipped!.b ? 'B' : 'Other')
    await sql.unsafe(flip)
    expect(await readTableSchema(sql, shapeTable(shape))).toEqual(schema)
    if (PG_DUMP_PATH !== null) expect(dumpSchema(url)).toEqual(dump)
    expect(await findTriggerFault(ground.database.state, ground.rollout, await ground.table())).toBe(null)
    expect(await findMissingReverseSync(ground.database.state, ground.rollout, await ground.table())).toBe(null)
    compareRows(shape, before, await rowsOf(sql, shape))
  })
})

/** Runs the script like a terminal, on a separate connection. */
async function runInOwnConnection(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(wrapInTransaction(text))
  } catch (error) {
    throw new Error(`${String(error)}\n${JSON.stringify(error)}\n${text}`)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

type TableRow = Record<string, unknown>

const unquoteName = (name: string): string => name.replace(/^"(.*)"$/, '$1').replaceAll('""', '"')
const rowCondition = (shape: DropTableShape, n: number): string => `(${shapeKey(shape)}) = (${keyValues(shape, n)})`

/** Writes of old code and new code while only the triggers keep the archive up to date. */
async function writesBefore(sql: postgres.Sql, shape: DropTableShape): Promise<void> {
  const [a, b] = flagColumns(shape)
  const table = shapeTable(shape)
  for (const n of [9, 901, 902, 903, 904, 905])
    await sql.unsafe(
      `insert into ${table} (${shapeKey(shape)}, ${a}, ${b}) values (${keyValues(shape, n)}, ${n % 2 === 0}, false) on conflict (${shapeKey(shape)}) do nothing`,
    )
  await sql.unsafe(`insert into ${table} (${shapeKey(shape)}, type) values (${keyValues(shape, 910)}, 'B')`)
  await sql.unsafe(`update ${table} set ${a} = not ${a}, ${b} = false where ${rowCondition(shape, 901)}`)
  await sql.unsafe(`update ${table} set type = 'B' where ${rowCondition(shape, 902)}`)
  await sql.unsafe(`delete from ${table} where ${rowCondition(shape, 903)}`)
  await sql.unsafe(
    `update ${table} set (${shapeKey(shape)}) = row(${keyValues(shape, 909)}) where ${rowCondition(shape, 904)}`,
  )
}

/** Writes of new code after the drop: inserts, type changes and their reversal, and deletes. */
async function writesAfter(sql: postgres.Sql, shape: DropTableShape): Promise<void> {
  const table = shapeTable(shape)
  await sql.unsafe(`insert into ${table} (${shapeKey(shape)}, type) values (${keyValues(shape, 950)}, 'B')`)
  await sql.unsafe(`update ${table} set type = 'A' where ${rowCondition(shape, 902)}`)
  const other = (type: string): string => `update ${table} set type = '${type}' where ${rowCondition(shape, 901)}`
  await sql.unsafe(`set local sti.engine = 'on'; ${other('Other')}; ${other('A')}`)
  await sql.unsafe(`delete from ${table} where ${rowCondition(shape, 905)}`)
}

async function legacyColumnsLeft(sql: postgres.Sql, shape: DropTableShape): Promise<number> {
  const names = [...flagColumns(shape), ...(shape.more ?? [])].map(unquoteName)
  const [row] = await sql<{ left: number }[]>`
    select count(*)::int as left from pg_attribute where attrelid = ${shapeTable(shape)}::regclass and attname = any (${names})`
  return row!.left
}

async function rowsOf(sql: postgres.Sql, shape: DropTableShape): Promise<Map<string, TableRow>> {
  const rows = await sql.unsafe<{ key: string; row: TableRow }[]>(
    `select row(${shapeKey(shape)})::text as key, to_jsonb(t) as row from ${shapeTable(shape)} t`,
  )
  return new Map(rows.map(({ key, row }) => [key, row]))
}

/** All rows have their original values, except those that new code has written since. */
function compareRows(shape: DropTableShape, before: Map<string, TableRow>, after: Map<string, TableRow>): void {
  const [a, b] = flagColumns(shape).map(unquoteName) as [string, string]
  const changed = [...after].filter(
    ([key, row]) => JSON.stringify(sorted(row)) !== JSON.stringify(sorted(before.get(key) ?? {})),
  )
  const gone = [...before.keys()].filter((key) => !after.has(key))
  expect(gone.length).toBe(1)
  const flags = changed.map(([, row]) => [row['type'], row[a], row[b]]).sort()
  expect(flags).toEqual([
    ['A', true, false],
    ['B', false, true],
  ])
  expect(after.size).toBe(before.size)
}

const sorted = (row: TableRow): unknown => Object.entries(row).sort(([name], [other]) => (name < other ? -1 : 1))
