import { expect, test } from 'vitest'
import { parseStatements } from '../rollout/sqlParser.ts'
import { findFunctionUses, type StoredFunction } from './functionUses.ts'
import type { ColumnLookup, ColumnUseTarget } from './columnUseTarget.ts'
import { findColumnUses } from './columnUses.ts'

const VEHICLES_TARGET: ColumnUseTarget = {
  relations: [
    { schema: 'public', name: 'vehicles', columns: ['id', 'name', 'is_truck', 'Is Bike', 'type'] },
    { schema: 'public', name: 'vehicles_2026', columns: ['id', 'name', 'is_truck', 'Is Bike', 'type'] },
  ],
  legacy: ['is_truck', 'Is Bike'],
}
const OTHER_TABLES: Record<string, string[]> = { orders: ['id', 'vehicle_id', 'is_truck'], owners: ['id', 'name'] }
const columnsOf: ColumnLookup = (_schema, name) => (OTHER_TABLES[name] ? new Set(OTHER_TABLES[name]) : null)
const formatUses = (sql: string): string => {
  const { reads, writes } = findColumnUses(parseStatements(sql), VEHICLES_TARGET, columnsOf)
  return [...reads.map((column) => `r:${column}`), ...writes.map((column) => `w:${column}`)].join(' ')
}

test.each([
  // columns, aliases, schemas, quotes, partitions
  ['select is_truck from vehicles', 'r:is_truck'],
  ['select IS_TRUCK from PUBLIC.Vehicles', 'r:is_truck'],
  ['select v."Is Bike" from vehicles v', 'r:Is Bike'],
  ['select public.vehicles.is_truck from public.vehicles', 'r:is_truck'],
  ['select is_truck from vehicles_2026', 'r:is_truck'],
  ['select type from vehicles where not is_truck', 'r:is_truck'],
  ['select count(*) from vehicles', ''],
  ['select id, type from vehicles where name = $1 order by type limit $2', ''],
  ['select is_truck from elsewhere.vehicles', ''],
  ['select b from vehicles as v(a, c, b)', 'r:is_truck'],
  // stars and whole rows
  ['select * from vehicles', 'r:Is Bike r:is_truck'],
  ['select o.* from vehicles v join orders o on o.vehicle_id = v.id', ''],
  ['select v.* from vehicles v join orders o on o.vehicle_id = v.id', 'r:Is Bike r:is_truck'],
  ['select row_to_json(v) from vehicles v', 'r:Is Bike r:is_truck'],
  ['select * from (select id, type from vehicles) s', ''],
  ['select id from orders o where exists (select * from vehicles v where v.id = o.vehicle_id)', ''],
  ['select id from orders o where exists (select 1 from vehicles v where v.is_truck)', 'r:is_truck'],
  ['with x as (select * from vehicles) select id from x', 'r:Is Bike r:is_truck'],
  ['with vehicles as (select id, is_truck from orders) select is_truck from vehicles', ''],
  // another table's column of the same name
  ['select is_truck from orders', ''],
  ['select id from vehicles v where v.id in (select vehicle_id from orders where is_truck)', ''],
  ['select id from vehicles v where v.id in (select vehicle_id from owners where is_truck)', 'r:is_truck'],
  ["select (type = 'Truck') as is_truck from vehicles order by is_truck", ''],
  ['select * from owners natural join vehicles', 'r:Is Bike r:is_truck'],
  ['select v.id from orders natural join vehicles v', 'r:is_truck'],
  ['select o.id from orders o join vehicles v using (is_truck)', 'r:is_truck'],
  ['select id from orders union select id from vehicles where is_truck', 'r:is_truck'],
  ['select o.id from orders o, lateral (select v.is_truck from vehicles v) s', 'r:is_truck'],
  // writes
  ['insert into vehicles (id, name, type) values ($1, $2, $3)', ''],
  ['insert into vehicles (id, is_truck) values ($1, $2)', 'w:is_truck'],
  ['insert into vehicles values ($1, $2)', ''],
  ['insert into vehicles values ($1, $2, $3)', 'w:is_truck'],
  ['insert into vehicles select * from orders', 'w:Is Bike w:is_truck'],
  ['insert into vehicles default values', ''],
  ['insert into vehicles (id, type) values ($1, $2) returning *', 'r:Is Bike r:is_truck'],
  ['insert into vehicles (id, type) values ($1, $2) returning id', ''],
  [
    'insert into vehicles (id, type) values ($1, $2) on conflict (id) do update set is_truck = excluded.is_truck',
    'r:is_truck w:is_truck',
  ],
  ['update vehicles set type = $1 where id = $2', ''],
  ['update vehicles set is_truck = $1 where id = $2', 'w:is_truck'],
  ['update vehicles v set (name, "Is Bike") = ($1, $2)', 'w:Is Bike'],
  ['update orders o set is_truck = true from vehicles v where v.id = o.vehicle_id', ''],
  ['update orders o set is_truck = v.is_truck from vehicles v where v.id = o.vehicle_id', 'r:is_truck'],
  ['delete from vehicles where is_truck', 'r:is_truck'],
  ['delete from vehicles where id = $1 returning old.is_truck', 'r:is_truck'],
  ['with gone as (delete from vehicles where id = $1 returning *) select id from gone', 'r:Is Bike r:is_truck'],
  [
    'merge into vehicles v using orders o on o.vehicle_id = v.id when matched then update set is_truck = o.is_truck',
    'w:is_truck',
  ],
  [
    'merge into vehicles v using orders o on o.vehicle_id = v.id when not matched then insert values (o.id, $1, true)',
    'w:is_truck',
  ],
  ['copy vehicles from stdin', 'w:Is Bike w:is_truck'],
  ['copy vehicles (id, type) to stdout', ''],
  ['copy (select is_truck from vehicles) to stdout', 'r:is_truck'],
  // inside of utility commands
  ['prepare x as select is_truck from vehicles', 'r:is_truck'],
  ['declare c cursor for select * from vehicles', 'r:Is Bike r:is_truck'],
  ['explain select is_truck from vehicles', 'r:is_truck'],
  ['truncate vehicles', ''],
])('%s', (sql, expected) => {
  expect(formatUses(sql)).toBe(expected)
})

/** How a statement needs the columns: `no use`, only through `*`, or by name or position; and if it returns every column. */
test.each([
  ['select * from vehicles', 'star', true],
  ['select v.* from vehicles as v where v.id = $1 order by v.name', 'star', true],
  ['select "v0".* from "vehicles" as "v0" limit $1', 'star', true],
  ['select o.*, v.* from vehicles v join orders o on o.vehicle_id = v.id', 'star', true],
  ['select (v).* from vehicles v', 'star', true],
  ['insert into vehicles (id, type) values ($1, $2) returning *', 'star', true],
  [
    'insert into vehicles (id, type) values ($1, $2) on conflict (id) do update set type = excluded.type returning *',
    'star',
    true,
  ],
  ['update vehicles set type = $1 where id = $2 returning vehicles.*', 'star', true],
  ['delete from vehicles where id = $1 returning *', 'star', true],
  ['merge into vehicles v using orders o on o.vehicle_id = v.id when matched then delete returning v.*', 'star', true],
  ['with gone as (delete from vehicles where id = $1 returning *) select id from gone', 'star', false],
  ['with x as (select * from vehicles) select * from x', 'star', true],
  ['with x as (select * from vehicles) select x.id from x', 'star', false],
  ['select s.* from (select * from vehicles) s', 'star', true],
  ['select id from (select * from vehicles) s', 'star', false],
  ['prepare p as select * from vehicles', 'star', true],
  ['prepare p as select id from vehicles', 'no use', false],
  ['select row_to_json(v) from vehicles v', 'star', false],
  ['select v from vehicles v', 'star', false],
  ['copy vehicles to stdout', 'star', false],
  ['declare c cursor for select * from vehicles', 'star', false],
  ['select * from orders', 'no use', false],
  ['select count(*) from vehicles', 'no use', false],
  ['select o.* from vehicles v join orders o on o.vehicle_id = v.id', 'no use', false],
  ['select id from orders o where exists (select * from vehicles v where v.id = o.vehicle_id)', 'no use', false],
  // A column is named, also of a query that selects a star.
  ['select * from vehicles where is_truck', 'named', true],
  ['select *, is_truck from vehicles', 'named', true],
  ['select * from vehicles order by is_truck', 'named', true],
  ['with x as (select * from vehicles) select is_truck from x', 'named', false],
  ['with x as (select * from vehicles), y as (select * from x) select y."Is Bike" from y', 'named', false],
  ['select s.is_truck from (select * from vehicles) s', 'named', false],
  ['select * from (select * from vehicles) s join orders o using (is_truck)', 'named', true],
  ['update vehicles set is_truck = $1 returning *', 'named', true],
  ['insert into vehicles (id, is_truck) values ($1, $2) returning *', 'named', true],
  // The order or the number of the columns matters.
  ['insert into archive select * from vehicles', 'named', false],
  ['insert into archive select s.* from (select * from vehicles) s', 'named', false],
  ['select * from vehicles union all select * from vehicles_2026', 'named', true],
  ['select * from vehicles as v(a, b, c)', 'named', true],
  ['select b from (select * from vehicles) as s(a, b)', 'named', false],
  ['with x(a, b, c) as (select * from vehicles) select b from x', 'named', false],
  ['select * from vehicles order by 3', 'named', true],
  ['select id from orders where (id, vehicle_id, is_truck, $1, $2) in (select * from vehicles)', 'named', false],
  ['select id from vehicles v where row(v.*) = row($1, $2, $3, $4, $5)', 'named', false],
])('%s: %s', (sql, need, returnsAll) => {
  const uses = findColumnUses(parseStatements(sql), VEHICLES_TARGET, columnsOf)
  const found = uses.reads.length + uses.writes.length === 0 ? 'no use' : uses.onlyThroughStar ? 'star' : 'named'
  expect([found, uses.returnsAllColumns]).toEqual([need, returnsAll])
})

const bodyUses = (language: string, source: string, overrides: Partial<StoredFunction> = {}) =>
  findFunctionUses(
    {
      shown: 'f()',
      language,
      source,
      definition: `create function public.f(${overrides.triggered ? '' : 'v public.vehicles'}) returns ${overrides.triggered ? 'trigger' : 'setof text'} language plpgsql as $body$${source}$body$`,
      triggered: false,
      rowParameters: [],
      ...overrides,
    },
    VEHICLES_TARGET,
    columnsOf,
  )

test('function bodies: statements, row variables, and statements built at run time', () => {
  expect(bodyUses('sql', 'select is_truck from vehicles').reads).toEqual(['is_truck'])
  const row = { rowParameters: [{ number: 1, name: 'v' }] }
  expect(bodyUses('sql', 'select v.is_truck', row).reads).toEqual(['is_truck'])
  expect(bodyUses('sql', 'select ($1).is_truck', row).reads).toEqual(['is_truck'])
  expect(bodyUses('sql', 'select is_truck from orders').reads).toEqual([])
  const trigger = { triggered: true }
  expect(bodyUses('plpgsql', 'begin new.is_truck := old."Is Bike"; return new; end', trigger)).toMatchObject({
    reads: ['Is Bike'],
    writes: ['is_truck'],
  })
  expect(bodyUses('plpgsql', 'begin insert into audit select new.*; return new; end', trigger).reads).toHaveLength(2)
  expect(bodyUses('plpgsql', 'begin insert into audit select to_jsonb(new); return new; end', trigger)).toEqual({
    reads: [],
    writes: [],
    unsure: null,
  })
  expect(
    bodyUses(
      'plpgsql',
      'declare x public.vehicles%rowtype; begin select id into x.id from orders; if x.is_truck then return; end if; end',
    ).reads,
  ).toEqual(['is_truck'])
  expect(bodyUses('plpgsql', 'declare x vehicles; begin x.is_truck := true; return; end').writes).toEqual(['is_truck'])
  // A comparison of two whole rows loses the same columns on both sides.
  for (const rows of ['new.* is distinct from old.*', 'new.* = old.*', '(new.*) <> (old.*)'])
    expect(
      bodyUses(
        'plpgsql',
        `begin if tg_op = 'UPDATE' and ${rows} then new.at := now(); end if; return new; end`,
        trigger,
      ),
      rows,
    ).toEqual({ reads: [], writes: [], unsure: null })
  for (const rows of ['new.* = (1, 2)', 'new.* is distinct from old.* and new.is_truck'])
    expect(
      bodyUses('plpgsql', `begin if ${rows} then return null; end if; return new; end`, trigger).reads,
      rows,
    ).toContain('is_truck')
  // The parser does not know which types of the application are no rows.
  const ofEnum =
    'select status, id into s, n from orders; update vehicles set is_truck = true where id = n; return; end'
  for (const declaration of [
    's order_status',
    's "Order Status" not null default \'new\'',
    's public.order_status[] := null',
    's app.order_status collate "C"',
  ])
    expect(bodyUses('plpgsql', `declare\n  n int;\n  ${declaration};\nbegin ${ofEnum}`), declaration).toEqual({
      reads: [],
      writes: ['is_truck'],
      unsure: null,
    })
  expect(
    bodyUses('plpgsql', `declare s order_status; n int; v vehicles; begin v.is_truck := true; ${ofEnum}`).writes,
  ).toEqual(['is_truck'])
  expect(bodyUses('plpgsql', "begin return query execute 'select is_truck from vehicles'; end").unsure).toMatch(
    /run time/,
  )
  expect(bodyUses('plpgsql', "begin execute 'refresh materialized view x'; end").unsure).toBeNull()
  expect(bodyUses('plpython3u', 'plpy.execute("select is_truck from vehicles")').unsure).toMatch(/plpython3u/)
  expect(bodyUses('plpython3u', 'return 1').unsure).toBeNull()
  expect(bodyUses('plpgsql', 'begin this is no code for vehicles').unsure).toMatch(/could not be parsed/)
})
