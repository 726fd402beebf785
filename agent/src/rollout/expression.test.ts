import { describe, expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { parseConstant, parseExpression, qualifyColumns } from './expression.ts'
import { parseDataType, parseName, parseTableName } from './identifiers.ts'
import { parseQuery } from './parseQuery.ts'

describe('qualify', () => {
  test.each([
    ['is_truck', '(new."is_truck")'],
    [`kind = 'is_truck' or is_truck`, `(new."kind" = 'is_truck' or new."is_truck")`],
    [`/* is_truck */ is_truck -- is_truck`, '(/* is_truck */ new."is_truck" -- is_truck\n)'],
    [`/* a /* nested */ a */ a`, '(/* a /* nested */ a */ new."a")'],
    [`größe > 3 and "Straße" = 'größe'`, `(new."größe" > 3 and new."Straße" = 'größe')`],
    [`'🚚' = kind and a`, `('🚚' = new."kind" and new."a")`],
    [`e = E'e\\'e' and e <> 'e''e'`, `(new."e" = E'e\\'e' and new."e" <> 'e''e')`],
    [`x = $$x$$ or x = $x$ x $x$`, '(new."x" = $$x$$ or new."x" = $x$ x $x$)'],
    [`a::text = b::varchar(3)`, '(new."a"::text = new."b"::varchar(3))'],
    [
      `case when a then case b when 1 then "Case" end else 'a' end = 'x'`,
      `(case when new."a" then case new."b" when 1 then new."Case" end else 'a' end = 'x')`,
    ],
    [`MixedCase and "MixedCase" and "a""b"`, '(new."mixedcase" and new."MixedCase" and new."a""b")'],
    [
      `"order" = 1 and "select" and interval > 2 and name = 'x'`,
      `(new."order" = 1 and new."select" and new."interval" > 2 and new."name" = 'x')`,
    ],
    [
      `text = text::text and date > date '2026-01-01'`,
      `(new."text" = new."text"::text and new."date" > date '2026-01-01')`,
    ],
    [
      `lower(lower) = 'x' and a[a] and (row(a, b)) = (1, 2)`,
      `(lower(new."lower") = 'x' and new."a"[new."a"] and (row(new."a", new."b")) = (1, 2))`,
    ],
    [`extract(year from year) = 2026`, '(extract(year from new."year") = 2026)'],
    [`a\n  and\n\tb`, '(new."a"\n  and\n\tnew."b")'],
  ])('%s', (text, qualified) => {
    expect(qualifyColumns(parseExpression(text), 'new')).toBe(qualified)
  })

  test('has the same meaning for PostgreSQL, with columns of the same names in scope', async () => {
    await withDatabase(async ({ sql }) => {
      await sql.unsafe(`create table t (a int, "Is ""T" boolean, "größe" text, "order" int, is_truck boolean)`)
      await sql.unsafe(
        `insert into t select i, i % 2 = 0, case i % 3 when 0 then 'größe' end, i % 5, i % 7 = 0 from generate_series(1, 210) i`,
      )
      for (const text of [
        `a > 3 and "Is ""T" -- "order"`,
        `größe = 'größe' or "order" = 2`,
        `case when is_truck then a > 100 else größe is null /* a */ end`,
        `A between 5 and 50 and IS_TRUCK is not true`,
      ]) {
        const qualified = qualifyColumns(parseExpression(text), 'l')
        const [row] = await sql.unsafe<{ bare: number; mine: number }[]>(
          `select (select count(*) from t where (${text}\n))::int as bare, (select count(*) from t l cross join (select 1 as a, true as is_truck) r where ${qualified})::int as mine`,
        )
        expect(row!.mine).toBe(row!.bare)
        expect(row!.bare).toBeGreaterThan(0)
      }
    })
  })
})

test.each([
  ['a, b', /one SQL expression/],
  ['a) + (b', /one SQL expression/],
  ['a) or g(b', /one SQL expression/],
  ['a as b', /not an SQL expression/],
  ['a order by b', /one SQL expression/],
  ['distinct a', /one SQL expression/],
  ['variadic a', /one SQL expression/],
  ['a) from t where (b', /one SQL expression/],
  ['a) over (partition by b', /one SQL expression/],
  ['a); drop table t; select (b', /one SQL expression/],
  ['', /one SQL expression/],
  ['*', /one SQL expression/],
  ['x => a', /one SQL expression/],
  ['a and', /not an SQL expression: syntax error/],
  ["a = 'unfinished", /not an SQL expression: unterminated/],
  ['a /* unfinished', /not an SQL expression: unterminated/],
  ['(select true)', /subqueries are not allowed/],
  ['exists (select from t)', /subqueries are not allowed/],
  ['a in (select 1)', /subqueries are not allowed/],
  ['count(*) > 1', /aggregates \(count\) are not allowed/],
  ['max(a) > 1', /aggregates \(max\) are not allowed/],
  ['own(a order by b) > 1', /aggregates \(own\) are not allowed/],
  ['row_number() over () = 1', /window functions are not allowed/],
  ['a = $1', /parameters such as \$1 are not allowed/],
  ['t.a', /columns must have no table name/],
  ['t.* is null', /columns must have no table name/],
  ['current_timestamp > a', /change from call to call/],
  [`current_user = a`, /change from call to call/],
  ['U&"\\0061" = 1', /U&"…" and U&'…' are not supported/],
  [`a = U&'\\0061'`, /U&"…" and U&'…' are not supported/],
  [`a or ${' '.repeat(4_000)}b`, /longer than 4000 characters/],
])('refuses %s', (text, message) => {
  expect(() => parseExpression(text)).toThrow(message)
})

test('the deepest expression that its length allows does not exhaust the parser', () => {
  expect(parseExpression(`${'('.repeat(1_900)}a${')'.repeat(1_900)}`).columns).toEqual(['a'])
  expect(parseExpression(`${'not '.repeat(990)}a`).columns).toEqual(['a'])
  expect(() => parseExpression(`a ${'or a '.repeat(790)}`)).not.toThrow()
  expect(() => parseExpression(`${'a+'.repeat(1_990)}a > 1`)).not.toThrow()
})

test('a constant is a literal, a cast of one, or an array of them', () => {
  for (const text of [
    'true',
    "'x'",
    '-1',
    'null',
    "'x'::text",
    "date '2026-01-01'",
    "array['a', null]::text[]",
    "E'\\n'",
  ]) {
    expect(parseConstant(text).columns).toEqual([])
  }
  expect(() => parseConstant('truck')).toThrow(`Write a text as "'truck'"`)
  for (const text of ['now()', '1 + 1', 'array[now()]', "lower('A')", 'coalesce(null, 1)']) {
    expect(() => parseConstant(text)).toThrow(/is not a constant/)
  }
})

test('names follow PostgreSQL: folded to lowercase unless quoted', () => {
  expect(parseTableName('Vehicles')).toEqual({ schema: 'public', name: 'vehicles', sql: '"public"."vehicles"' })
  expect(parseTableName('"My Schema" . "Ve""h"').sql).toBe('"My Schema"."Ve""h"')
  for (const text of [
    'a.b.c',
    'v x',
    'only v',
    'v, w',
    'v; drop table w',
    'v is null --',
    '"a',
    '',
    '""',
    'v*',
    '(select 1)',
  ]) {
    expect(() => parseTableName(text)).toThrow(/is not a table name/)
  }
  for (const text of ['tenant_*.vehicles', 'tenant_%.vehicles', 'a.vehicles, b.vehicles'])
    expect(() => parseTableName(text)).toThrow(
      /a pattern such as tenant_\*\.vehicles, a list, or a query \(docs\/tenants\.md\)/,
    )
  for (const text of ['pg_catalog.pg_class', 'information_schema.tables', 'sti.flag', 'pg_temp.t']) {
    expect(() => parseTableName(text)).toThrow(/belongs to PostgreSQL or to the agent/)
  }
  expect([parseName('IsTruck'), parseName('"Is Truck"'), parseName('order')]).toEqual(['istruck', 'Is Truck', 'order'])
  for (const text of ['a b', 'a.b', '1a', 'x is null; --', '']) expect(() => parseName(text)).toThrow(/is not a name/)
})

test('a type is one type', () => {
  expect(parseDataType('varchar(20)')).toBe('varchar(20)')
  expect(parseDataType('character varying(20)')).toBe('character varying(20)')
  expect(parseDataType('App."Kind"')).toBe('"app"."Kind"')
  expect(parseDataType('pg_catalog.varchar(3)')).toBe('"pg_catalog"."varchar"(3)')
  for (const text of ['text[]', 'setof text', 't.c%type'])
    expect(() => parseDataType(text)).toThrow(/cannot be the data type of a discriminator|is not a data type/)
  for (const text of [
    'text default 1',
    'text) , (1',
    'text, add column x int',
    'text collate "C"',
    "varchar('x')",
    '',
    'text) from (t',
  ]) {
    expect(() => parseDataType(text)).toThrow(/is not a data type/)
  }
})

test('a query is one SELECT that writes and locks nothing', () => {
  for (const text of ['select 1', 'select 1;', 'with x as (select 1) select * from x', 'select 1 union select 2']) {
    expect(parseQuery(text)).toBe(text)
  }
  for (const [text, message] of [
    ['select 1; select 2', /exactly one SELECT/],
    ['delete from t', /exactly one SELECT/],
    ['explain analyze delete from t', /exactly one SELECT/],
    ['create table x as select 1', /exactly one SELECT/],
    ['', /is not SQL/],
    ['with x as (delete from t returning 1) select * from x', /must not write/],
    ['with x as (with y as (insert into t values (1) returning 1) select * from y) select * from x', /must not write/],
    ['select * from t for update', /must not lock/],
    ['select 1 union all (select id from t for share)', /must not lock/],
    ['select * from (select 1 from t for no key update) x', /must not lock/],
    ['select 1 into x', /must not create a table/],
    ['select $1', /parameters/],
    ['selec 1', /is not SQL/],
    [`select 1${' '.repeat(10_000)}`, /longer than/],
  ] as const) {
    expect(() => parseQuery(text)).toThrow(message)
  }
})
