import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { checkAgainstTable } from './checkAgainstTable.ts'
import { compileRollout } from './compileRollout.ts'
import { inspectTable } from './inspectTable.ts'
import { columnLimitRefusal, findRowWidth, type RowWidthFinding } from './rowWidth.ts'

const LONG_TYPE = 'SomethingElseEntirely'

/** Tables of 20 rows by what their rows are made of. */
const SHAPES: readonly { name: string; columns: string; values: string; dataType?: string }[] = [
  { name: 'bigints up to the edge', columns: bigints(1_015), values: ones(1_015) },
  { name: 'bigints with an enum as type', columns: bigints(1_015), values: ones(1_015), dataType: 'public.kind' },
  {
    name: 'bigints, of which every second row has none',
    columns: bigints(1_015),
    values: ones(1_015, 'case when n % 2 = 0 then 1 end'),
  },
  { name: 'short texts', columns: texts(387), values: texts(387, `repeat('x', n)`) },
  { name: 'long texts', columns: texts(400), values: texts(400, `repeat(md5(n::text), 20)`) },
  {
    name: 'texts that are not stored out of line',
    columns: texts(10),
    values: texts(10, `repeat('y', 407 + 20 * n)`),
  },
  { name: 'few columns', columns: ', note text', values: `, repeat('z', 100000)` },
]

function bigints(count: number): string {
  return Array.from({ length: count }, (_, n) => `, c${n} bigint`).join('')
}
function ones(count: number, value = '1'): string {
  return `, ${value}`.repeat(count)
}
function texts(count: number, value: string | null = null): string {
  return Array.from({ length: count }, (_, n) => (value === null ? `, c${n} text` : `, ${value}`)).join('')
}

/** The rows that PostgreSQL itself refuses to update once the type is in them. */
async function refusedRows(sql: postgres.Sql, dataType: string): Promise<number> {
  let refused = 0
  await sql.unsafe(`alter table public.vehicles add column type ${dataType}`)
  for (let id = 1; id <= 20; id++) {
    const type = id % 3 === 0 ? 'A' : id % 3 === 1 ? 'B' : LONG_TYPE
    await sql
      .unsafe(`update public.vehicles set type = '${type}' where id = ${id}`)
      .catch((error: { code: string }) => {
        expect(error.code).toBe('54000')
        refused++
      })
  }
  return refused
}

test('exactly the rows that PostgreSQL would refuse with the type are found before the column is added', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create type public.kind as enum ('A', 'B', '${LONG_TYPE}')`)
    const database = connect(url, 'test')
    const session = database.engine({ readOnly: true })
    try {
      const outcomes: Record<string, string> = {}
      for (const { name, columns, values, dataType = 'text' } of SHAPES) {
        await sql.unsafe(`drop table if exists public.vehicles;
          create table public.vehicles (id int primary key, is_a boolean not null, is_b boolean not null${columns});
          ${name.includes('out of line') ? Array.from({ length: 10 }, (_, n) => `alter table public.vehicles alter c${n} set storage plain`).join(';') : ''};
          insert into public.vehicles select n, n % 3 = 0, n % 3 = 1${values} from generate_series(1, 20) n`)
        const rollout = rolloutWith(dataType)
        const found: RowWidthFinding | null = await findRowWidth(session, rollout, await inspectTable(session, rollout))
        const predicted = found?.refused ? Number(/^[\d,]+/.exec(found.text)![0]) : 0
        expect(predicted, name).toBe(await refusedRows(sql, dataType))
        outcomes[name] = found === null ? 'fits' : found.refused ? 'refused' : 'possible'
      }
      expect(outcomes).toMatchObject({
        'bigints up to the edge': 'refused',
        'long texts': expect.not.stringMatching('refused') as string,
        'few columns': 'fits',
      })
    } finally {
      await session.end()
      await database.close()
    }
  })
})

test('rows whose type cannot be derived are measured with the longest type, and refuse nothing', async () => {
  await withDatabase(async ({ url, sql }) => {
    const plain = Array.from({ length: 10 }, (_, n) => `alter table public.vehicles alter c${n} set storage plain`)
    await sql.unsafe(`create table public.vehicles (id int primary key, is_a boolean not null, is_b boolean not null, label text${texts(10)});
      ${plain.join(';')};
      insert into public.vehicles select n, false, true, 'x'${texts(10, `repeat('y', 600)`)} from generate_series(1, 20) n`)
    const database = connect(url, 'test')
    const session = database.engine({ readOnly: true })
    try {
      const rollout = rolloutWith('text', 'label::int = 1')
      expect(await findRowWidth(session, rollout, await inspectTable(session, rollout))).toEqual({
        refused: false,
        text: expect.stringMatching(/^A row can have more than .*; the widest row now would have 6,\d{3}\./) as string,
      })
    } finally {
      await session.end()
      await database.close()
    }
  })
})

test('a table without room for one more column is refused before expand, dropped columns included', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'test')
    const session = database.engine()
    try {
      for (const [count, refused] of [
        [1_599, false],
        [1_600, true],
      ] as const) {
        const added = Array.from({ length: count - 3 }, (_, n) => `, c${n} boolean`).join('')
        await sql.unsafe(`drop table if exists public.vehicles;
          create table public.vehicles (id int primary key, is_a boolean not null, is_b boolean not null${added});
          alter table public.vehicles drop column c0, drop column c1`)
        const rollout = rolloutWith('text')
        const table = await inspectTable(session, rollout)
        expect(columnLimitRefusal(rollout, table) !== null).toBe(refused)
        if (!refused) expect(await checkAgainstTable(session, rollout, table)).toEqual([])
      }
    } finally {
      await session.end()
      await database.close()
    }
  })
})

function rolloutWith(dataType: string, conditionOfA = 'is_a') {
  const { rollout, faults } = compileRollout(
    'v.yaml',
    JSON.stringify({
      rollout: 'vehicles',
      table: 'public.vehicles',
      discriminator: { column: 'type', dataType },
      types: [
        { name: 'A', when: conditionOfA, restore: { is_a: true, is_b: false } },
        { name: 'B', when: 'is_b', restore: { is_a: false, is_b: true } },
      ],
      otherwise: { name: LONG_TYPE, restore: { is_a: false, is_b: false } },
      legacyColumns: ['is_a', 'is_b'],
      permanentColumns: conditionOfA === 'is_a' ? [] : ['label'],
      flag: { key: 'vehicles' },
    }),
  )
  if (!rollout) throw new Error(faults.join('\n'))
  return rollout
}
