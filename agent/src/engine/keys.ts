import type { KeyColumn } from '../rollout/rollout.ts'

/** A primary key: its columns as text. In SQL, a jsonb array of strings. Null is an open end of the key space. */
export type Key = readonly string[]

/** `(t."a", t."b")`, or the column alone if the key has one. */
export function keyTuple(key: readonly KeyColumn[], alias: string): string {
  const columns = key.map((column) => `${alias}.${column.sql}`)
  return columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`
}

/** The key of a row as a jsonb array of strings. */
export function keyAsJson(key: readonly KeyColumn[], alias: string): string {
  return `jsonb_build_array(${key.map((column) => `${alias}.${column.sql}::text`).join(', ')})`
}

/** Parameters from `$first` on, cast to the types of the columns. The cast to text keeps the driver from choosing a type. */
export function keyPlaceholders(key: readonly KeyColumn[], first: number): string {
  const values = key.map((column, index) => `$${first + index}::text::${column.type}`)
  return values.length === 1 ? values[0]! : `(${values.join(', ')})`
}
