import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { compileRollout } from './compileRollout.ts'
import { countContentLosses, type ContentLoss } from './contentLoss.ts'
import { inspectTable } from './inspectTable.ts'

const counts = (column: string, lostRows: number, replacedRows: number): ContentLoss => ({
  column,
  lostRows,
  replacedRows,
})

/** Name, columns with their values for 16 rows n = 0..15, types, and what is counted. */
test.each<[string, string, string, string, ContentLoss[]]>([
  [
    'flags that say it all',
    'a boolean not null default false',
    'n % 2 = 1',
    `types: [{ name: A, when: a, restore: { a: true } }]\notherwise: { name: B, restore: { a: false } }`,
    [counts('a', 0, 0)],
  ],
  [
    'bits and constants',
    'a int not null default 0',
    'n',
    `types: [{ name: A, when: (a & 4) <> 0, restore: { a: 4 } }]\notherwise: { name: B, restore: { a: 0 } }`,
    [counts('a', 14, 14)],
  ],
  [
    'bits and expressions',
    'a int not null default 0',
    'n',
    `types: [{ name: A, when: (a & 4) <> 0, restore: { a: { sql: a | 4 } } }]\notherwise: { name: B, restore: { a: { sql: a & ~4 } } }`,
    [counts('a', 14, 0)],
  ],
  [
    'two values that are one type',
    'a text',
    `(array['G', 'PG', 'R', 'X'])[1 + n % 4]`,
    `types: [{ name: A, when: "a in ('G', 'PG')", restore: { a: "'G'" } }]\notherwise: { name: B, restore: { a: "'R'" } }`,
    [counts('a', 8, 8)],
  ],
  [
    'a foreign key that is kept',
    'a int',
    'nullif(n % 4, 0)',
    `types: [{ name: A, when: a is not null, restore: { a: keep } }]\notherwise: { name: B, restore: { a: null } }`,
    [counts('a', 12, 0)],
  ],
  [
    'a column that restore does not set',
    `a boolean, b text default 'x'`,
    `n % 2 = 1, case when n < 5 then 'y' else 'x' end`,
    `types: [{ name: A, when: a, restore: { a: true } }]\notherwise: { name: B, restore: { a: false } }`,
    [counts('a', 0, 0), counts('b', 5, 0)],
  ],
  [
    'restore: none of one type',
    'a boolean',
    'n % 4 = 1',
    `types: [{ name: A, when: a, restore: none }]\notherwise: { name: B, restore: { a: null } }`,
    [counts('a', 16, 12)],
  ],
])('%s', async (_, columns, values, types, expected) => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create table public.things (id int primary key, ${columns}) partition by range (id);
      create table public.low partition of public.things for values from (0) to (8);
      create table public.high partition of public.things for values from (8) to (100);
      insert into public.things select n, ${values} from generate_series(0, 15) n`)
    const names = expected.map(({ column }) => column)
    const { rollout, faults } = compileRollout(
      't.yaml',
      `rollout: t\ntable: things\n${types}\nlegacyColumns: [${names.join(', ')}]\nflag: { key: t }\n`,
    )
    if (rollout === undefined) throw new Error(faults.join('\n'))
    const database = connect(url, 'test')
    try {
      const table = await inspectTable(database.state, rollout)
      const before = await countContentLosses(database.state, rollout, table, 'legacy columns')
      expect(before).toEqual({ rows: 16, columns: expected })
      await sql.unsafe(
        `alter table public.things add type text; update public.things t set type = ${rollout.derive('t')}`,
      )
      expect(await countContentLosses(database.state, rollout, table, 'discriminator')).toEqual(before)
    } finally {
      await database.close()
    }
  })
})
