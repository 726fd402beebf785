import { expect, test } from 'vitest'
import { compileRollout } from './compileRollout.ts'
import { parseTableName } from './identifiers.ts'
import { childName, groupOf } from './rolloutGroup.ts'
import { parseTablePattern, selectionNames, singleTable } from './tableSelection.ts'

const FILE = {
  rollout: 'vehicles',
  table: 'tenant_*.vehicles' as unknown,
  types: [{ name: 'Truck', when: 'is_truck', restore: { is_truck: true } }],
  otherwise: { name: 'Car', restore: { is_truck: false } },
  legacyColumns: ['is_truck'],
  flag: { key: 'vehicles' },
}

test('a pattern has * in its schema, as in SQL otherwise', () => {
  expect(parseTablePattern('Tenant_*.Vehicles')).toMatchObject({ schemaLike: 'tenant\\_%', name: 'vehicles' })
  expect(parseTablePattern('"Tenant *".vehicles')).toMatchObject({ schemaLike: 'Tenant %', name: 'vehicles' })
  expect(parseTablePattern('*.vehicles')).toMatchObject({ schemaLike: '%', exact: null })
  expect(parseTablePattern('a_1.vehicles')).toMatchObject({ schemaLike: 'a\\_1', exact: { schema: 'a_1' } })
  for (const text of ['tenant_1.veh*', 'veh*', 'tenant_*.veh*'])
    expect(() => parseTablePattern(text)).toThrow(/in the schema/)
  for (const text of [
    'tenant_*',
    'tenant_%.vehicles',
    'a.b*.vehicles',
    'pg_*.vehicles',
    'tenant_*.vehicles; drop table x',
  ])
    expect(() => parseTablePattern(text)).toThrow()
})

test('a selection names the tables that it matches', () => {
  const names = (selection: string | string[], table: string): boolean =>
    selectionNames(selection, parseTableName(table))
  expect(names('tenant_*.vehicles', 'tenant_17.vehicles')).toBe(true)
  expect(names('tenant_*.vehicles', 'tenantx17.vehicles')).toBe(false)
  expect(names('tenant_*.vehicles', 'tenant_17.cars')).toBe(false)
  expect(names('"a.*".vehicles', '"a.b".vehicles')).toBe(true)
  expect(names('"a.*".vehicles', 'axb.vehicles')).toBe(false)
  expect(names(['a.vehicles', 'b_*.vehicles'], 'b_1.vehicles')).toBe(true)
  expect([singleTable('public.vehicles'), singleTable('t_*.v'), singleTable(['a.v'])]).toEqual([
    'public.vehicles',
    null,
    null,
  ])
})

test('a file with several tables is a group, whose children have a table and a derivation of their own', () => {
  for (const table of ['tenant_*.vehicles', ['a.vehicles', 'b.vehicles'], { query: 'select name from tenants' }]) {
    const { rollout, group, faults } = compileRollout('v.yaml', JSON.stringify({ ...FILE, table }))
    expect([rollout, faults]).toEqual([undefined, []])
    const [a, b] = ['a', '"Order B"'].map((schema) => group!.child(parseTableName(`${schema}.vehicles`)))
    expect([a!.name, a!.table.sql, a!.file.rollout]).toEqual(['vehicles@a', '"a"."vehicles"', 'vehicles@a'])
    expect(b!.name).toMatch(/^vehicles@Order-B-[0-9a-f]{8}$/)
    expect(a!.hash).toBe(group!.hash)
    expect(a!.derivationHash).not.toBe(b!.derivationHash)
  }
  const other = compileRollout('v.yaml', JSON.stringify({ ...FILE, table: ['a.vehicles'] })).group!
  const pattern = compileRollout('v.yaml', JSON.stringify(FILE)).group!
  const table = parseTableName('a.vehicles')
  expect(other.child(table).derivationHash).toBe(pattern.child(table).derivationHash)
})

test('names of children are unique and lead back to their group', () => {
  expect(childName('vehicles', { schema: 'a b' })).not.toBe(childName('vehicles', { schema: 'a-b' }))
  expect(groupOf(childName('vehicles', { schema: 'é' }))).toBe('vehicles')
  expect(groupOf('vehicles')).toBeNull()
})

test.each([
  [[], 'needs at least one table'],
  [{ query: 'delete from t' }, 'must be exactly one SELECT'],
  [{ sql: 'select 1' }, 'unknown key "sql"'],
  ['tenant_%.vehicles', 'write a pattern such as tenant_*.vehicles'],
  [['a.v*'], 'use * in the schema only'],
])('%j is a fault', (table, fault) => {
  const { faults } = compileRollout('v.yaml', JSON.stringify({ ...FILE, table }))
  expect(faults.join('\n')).toContain(fault)
})
