import type { Column } from './rollout.ts'

/** Types whose equal values are equal byte by byte. Not numeric (1.0 and 1.00), and not text, which may have any collation. */
const EXACT_TYPES = new Set('bool int2 int4 int8 uuid date timestamp timestamptz oid'.split(' '))

/** Equal byte by byte. Without the casts, PostgreSQL would look for an operator `*=` of the column types. */
export function sameImageSql(left: string, right: string): string {
  return `row(${left})::record operator(pg_catalog.*=) row(${right})::record`
}

/**
 * SQL: two values of a column are not the same, byte by byte, also for types without equality (json). NULL is a value. A call of
 * the operator's function: PostgreSQL prints the operator without the casts of its rows, and so cannot read what it printed
 * itself, such as the condition of a trigger that Citus creates again with a shard.
 */
export function valueDiffersSql({ baseType, enumLabels }: Column, left: string, right: string): string {
  if (EXACT_TYPES.has(baseType) || enumLabels !== null) return `(${left}) is distinct from (${right})`
  return `pg_catalog.record_image_ne(row(${left}), row(${right}))`
}
