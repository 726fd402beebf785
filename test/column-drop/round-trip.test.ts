import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { alone } from '../../agent/src/columnDrop/migration/template.ts'
import { bothWaysMissing, triggerFault } from '../../agent/src/dualWrite/verify.ts'
import { dumpSchema, PG_DUMP, readSchema } from './dump.ts'
import { withGround } from './ground.ts'
import { fileOf, flagsOf, keyOf, SHAPES, tableOf, valuesOf, type Shape } from './shapes.ts'

afterAll(() => {
  if (PG_DUMP === null) console.log('no pg_dump of PostgreSQL 18: schemas were compared by queries of the catalog')
})

test.each(SHAPES)('the columns of a table with $name go and come back', async (shape) => {
  await withGround(shape.create, fileOf(shape), async (ground) => {
    const { sql, url } = ground
    const schema = await readSchema(sql, tableOf(shape))
    const dump = PG_DUMP === null ? [] : dumpSchema(url)
    await ground.keep()
    await writesBefore(sql, shape)
    expect(await ground.state()).toMatchObject({ complete: true, equal: true, faults: [] })
    const { up, down } = await ground.migration()
    const before = await rowsOf(sql, shape)
    const run = (text: string): Promise<void> => runAlone(url, text)
    await run(up)
    await run(up)
    expect(await legacyLeft(sql, shape)).toBe(0)
    expect(Object.keys([...(await rowsOf(sql, shape)).values()][0]!)).not.toContain(bare(flagsOf(shape)[0]))
    await writesAfter(sql, shape)
    await run(down)
    const [a, b] = flagsOf(shape)
    const flip = `set local sti.engine = 'on'; update ${tableOf(shape)} set ${a} = not ${a} where ${here(shape, 9)} returning ${a} as a, ${b} as b, type`
    const [, [flipped]] = (await sql.unsafe(flip)) as unknown as [unknown, { a: boolean; b: boolean; type: string }[]]
    await run(down)
    const [again] = await sql.unsafe(`select ${a} as a, ${b} as b, type from ${tableOf(shape)} where ${here(shape, 9)}`)
    expect(again).toEqual(flipped)
    expect(flipped!.type).toBe(flipped!.a ? 'A' : flipped!.b ? 'B' : 'Other')
    await sql.unsafe(flip)
    expect(await readSchema(sql, tableOf(shape))).toEqual(schema)
    if (PG_DUMP !== null) expect(dumpSchema(url)).toEqual(dump)
    expect(await triggerFault(ground.database.state, ground.rollout, await ground.table())).toBe(null)
    expect(await bothWaysMissing(ground.database.state, ground.rollout, await ground.table())).toBe(null)
    compareRows(shape, before, await rowsOf(sql, shape))
  })
})

/** As a terminal would run it: on a connection of its own. */
async function runAlone(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(alone(text))
  } catch (error) {
    throw new Error(`${String(error)}\n${JSON.stringify(error)}\n${text}`)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

type Row = Record<string, unknown>

const bare = (name: string): string => name.replace(/^"(.*)"$/, '$1').replaceAll('""', '"')
const here = (shape: Shape, n: number): string => `(${keyOf(shape)}) = (${valuesOf(shape, n)})`

/** Old code and new code, both while the archive is kept by its triggers alone. */
async function writesBefore(sql: postgres.Sql, shape: Shape): Promise<void> {
  const [a, b] = flagsOf(shape)
  const table = tableOf(shape)
  for (const n of [9, 901, 902, 903, 904, 905])
    await sql.unsafe(
      `insert into ${table} (${keyOf(shape)}, ${a}, ${b}) values (${valuesOf(shape, n)}, ${n % 2 === 0}, false) on conflict (${keyOf(shape)}) do nothing`,
    )
  await sql.unsafe(`insert into ${table} (${keyOf(shape)}, type) values (${valuesOf(shape, 910)}, 'B')`)
  await sql.unsafe(`update ${table} set ${a} = not ${a}, ${b} = false where ${here(shape, 901)}`)
  await sql.unsafe(`update ${table} set type = 'B' where ${here(shape, 902)}`)
  await sql.unsafe(`delete from ${table} where ${here(shape, 903)}`)
  await sql.unsafe(`update ${table} set (${keyOf(shape)}) = row(${valuesOf(shape, 909)}) where ${here(shape, 904)}`)
}

/** New code once the columns are gone: it inserts, makes a row another type and back, and deletes. */
async function writesAfter(sql: postgres.Sql, shape: Shape): Promise<void> {
  const table = tableOf(shape)
  await sql.unsafe(`insert into ${table} (${keyOf(shape)}, type) values (${valuesOf(shape, 950)}, 'B')`)
  await sql.unsafe(`update ${table} set type = 'A' where ${here(shape, 902)}`)
  const other = (type: string): string => `update ${table} set type = '${type}' where ${here(shape, 901)}`
  await sql.unsafe(`set local sti.engine = 'on'; ${other('Other')}; ${other('A')}`)
  await sql.unsafe(`delete from ${table} where ${here(shape, 905)}`)
}

async function legacyLeft(sql: postgres.Sql, shape: Shape): Promise<number> {
  const names = [...flagsOf(shape), ...(shape.more ?? [])].map(bare)
  const [row] = await sql<{ left: number }[]>`
    select count(*)::int as left from pg_attribute where attrelid = ${tableOf(shape)}::regclass and attname = any (${names})`
  return row!.left
}

async function rowsOf(sql: postgres.Sql, shape: Shape): Promise<Map<string, Row>> {
  const rows = await sql.unsafe<{ key: string; row: Row }[]>(
    `select row(${keyOf(shape)})::text as key, to_jsonb(t) as row from ${tableOf(shape)} t`,
  )
  return new Map(rows.map(({ key, row }) => [key, row]))
}

/** All rows are what they were, but for those that new code has written since. */
function compareRows(shape: Shape, before: Map<string, Row>, after: Map<string, Row>): void {
  const [a, b] = flagsOf(shape).map(bare) as [string, string]
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

const sorted = (row: Row): unknown => Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))
