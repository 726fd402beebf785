import type { Column, KeyColumn, Rollout, Table } from '../../rollout/rollout.ts'

/** Types whose hash depends on the value only, not on session settings. */
const VALUE_HASHED_TYPES = new Set([
  ...['varchar', 'bpchar', 'name', 'bytea', 'uuid', 'numeric', 'float4', 'float8', 'date', 'time', 'timetz'],
  ...['timestamp', 'timestamptz', 'interval', 'inet', 'cidr', 'macaddr', 'jsonb', 'bit', 'varbit'],
])

/**
 * SQL for a 64-bit hash of a row's key and legacy columns. Each column's hash seeds the next one, which costs nanoseconds
 * per column; hashing a record of texts costs a microsecond. Booleans share the first seed. Equal values have equal hashes
 * within one major version of PostgreSQL.
 */
export function rowHashSql(rollout: Rollout, table: Table, alias: string): string {
  const legacy = rollout.legacyColumns.flatMap((name) => table.columns.find((column) => column.name === name) ?? [])
  // As many base-3 digits as fit into an int4.
  const booleans = legacy.filter((column) => column.baseType === 'bool').slice(0, 19)
  const booleanDigits = booleans.map((column, i) => {
    const digit = `${alias}.${column.sql}::int`
    return `${column.notNull ? digit : `coalesce(${digit}, 2)`}${i === 0 ? '' : ` * ${3 ** i}`}`
  })
  let seed = booleanDigits.length > 0 ? `(${booleanDigits.join(' + ')})::int8` : '0::int8'
  for (const column of legacy.filter((name) => !booleans.includes(name))) {
    seed = `hashint8extended(coalesce(${valueHashSql(alias, column, '0')}, 1), ${seed})`
  }
  for (const key of table.key) seed = keyHashSql(alias, key, table, seed)
  return seed
}

function keyHashSql(alias: string, key: KeyColumn, table: Table, seed: string): string {
  const column = table.columns.find((candidate) => candidate.name === key.name)!
  return valueHashSql(alias, column, seed)
}

/** NULL for a NULL value. */
function valueHashSql(alias: string, column: Column, seed: string): string {
  const value = `${alias}.${column.sql}`
  if (['int2', 'int4', 'int8'].includes(column.baseType)) return `hashint8extended(${value}::int8, ${seed})`
  if (column.baseType === 'text') return `hashtextextended(${value}::text, ${seed})`
  if (VALUE_HASHED_TYPES.has(column.baseType))
    return `case when ${value} is not null then hash_record_extended(row(${value}), ${seed}) end`
  return `hashtextextended(${value}::text, ${seed})`
}
