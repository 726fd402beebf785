import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { compileRollout } from './compileRollout.ts'
import { inspectTable } from './inspectTable.ts'
import { cannotRaise } from './cannotRaise.ts'

const COLUMNS = ['b', 'i2', 'i4', 'i8', 't', 'v', 'c', 'e', 'u', 'd', 'ts', 'tz', 'n', 'f', 'j', 'dom', 'other']

/** Extreme values of every type; each expression that counts as safe is evaluated over all pairs of them. */
const DDL = `
  create type public.mood as enum ('low', 'high'); create domain public.label as text;
  create type public.text as (x int);
  create table public.t (id int generated always as identity primary key, b bool, i2 int2, i4 int4, i8 int8, t pg_catalog.text,
    v varchar(5), c char(5), e public.mood, u uuid, d date, ts timestamp, tz timestamptz, n numeric, f float8, j jsonb,
    dom public.label, other public.text);
  insert into public.t (b, i2, i4, i8, t, v, c, e, u, d, ts, tz, n, f, j, dom) values
    (true, 32767, 2147483647, 9223372036854775807, repeat('x', 100000), 'x', 'x', 'low', gen_random_uuid(), 'infinity', 'infinity', 'infinity', 'NaN', 'NaN', '{}', ''),
    (false, -32768, -2147483648, -9223372036854775808, '', '', '', 'high', gen_random_uuid(), '-infinity', '-infinity', '-infinity', '1e1000', 1e300, '[]', 'x'),
    (null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
    (true, 0, 0, 0, '%\\', E'\\\\', ' ', 'low', gen_random_uuid(), '4713-01-01 BC', '294276-12-31 23:59:59', '294276-12-31 00:00+00', '-infinity', '-infinity', '1', ''),
    (false, 1, 1, 1, 'é', 'é', 'é', 'low', gen_random_uuid(), '5874897-12-31', '4713-01-01 00:00 BC', '4713-01-02 00:00+00 BC', 0.1, 1e-300, 'null', '')`

const SAFE = [
  ...[
    'b',
    'not b',
    'b is true and b is not unknown',
    'i2 = i8 or i4 < i2',
    'i8 > n',
    'i2 >= 3000000000',
    'i4 in (1, 2, 9223372036854775807)',
  ],
  ...[
    `t = v`,
    `v > c`,
    `t <> 'x' collate_free`.replace(' collate_free', ''),
    `e = 'low'`,
    `e between 'low' and 'high'`,
    'u is distinct from u',
  ],
  ...[
    'd < ts',
    'ts > d',
    `d = '2026-01-01'`,
    `ts between symmetric '2026-01-01' and d`,
    'n is not distinct from i8',
    'n < 1.5',
    `dom = t`,
  ],
  ...[
    `case t when 'x' then i4 = 1 else n > i8 end`,
    `case when b then i2 when i4 = 1 then i8 end = n`,
    `coalesce(b, i4 = 1)`,
  ],
  ...[`t = 'x'::text`, `n = 1::numeric`, `t is null`, `i8 not in (1, 2)`],
]

const MAY_RAISE = [
  ...[
    'i4 / i2 = 1',
    'i4 + 1 > 2',
    't::int = 1',
    'n = f',
    'f > 1',
    'n = 1.5::float8',
    'lower(t) = v',
    `t like v`,
    `j = '{}'`,
    `j->>'a' = 'x'`,
  ],
  ...[
    '- i4 > 3',
    `i4 = any ('{1}')`,
    `t || v = 'x'`,
    'i4::int2 = 1',
    'other is null',
    'nullif(i4, 1) = 2',
    'array[i4] = array[1]',
    `t = 'x'::other`,
  ],
]

test('a safe expression raises an error for no value, and an expression that may raise one is not safe', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(DDL)
    const database = connect(url, 'test')
    const rolloutOf = (when: string) => {
      const file = {
        rollout: 'a',
        table: 't',
        types: [{ name: 'A', when }],
        legacyColumns: COLUMNS,
        restore: 'none',
        flag: { key: 'a' },
      }
      const { rollout, faults } = compileRollout('a.yaml', JSON.stringify(file))
      if (!rollout) throw new Error(faults.join('\n'))
      return rollout
    }
    const table = await inspectTable(database.state, rolloutOf('b'))
    await database.close()
    expect(table.columns.find((column) => column.name === 'other')!.baseType).toBe('"public"."text"')
    for (const when of SAFE) {
      const rollout = rolloutOf(when)
      expect(cannotRaise(rollout, table), when).toBe(true)
      // Every column takes every value in combination with every value of the others.
      const pairs = COLUMNS.map((column, i) => `${i % 2 === 0 ? 'l' : 'r'}."${column}"`).join(', ')
      const swapped = COLUMNS.map((column, i) => `${i % 2 === 0 ? 'r' : 'l'}."${column}"`).join(', ')
      await sql.unsafe(
        `select ${rollout.derive('p')} from (select ${pairs} from t l, t r union all select ${swapped} from t l, t r) p`,
      )
    }
    for (const when of MAY_RAISE) expect(cannotRaise(rolloutOf(when), table), when).toBe(false)
  })
})
