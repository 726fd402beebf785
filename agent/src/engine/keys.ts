import type { KeyColumn } from '../rollout/rollout.ts'

/** A primary key as text, column by column; in SQL a jsonb array of strings. Null stands for the end of the key space. */
export type Key = readonly string[]

/** `(t."a", t."b")`, or just the column when there is one. */
export function keyTuple(key: readonly KeyColumn[], alias: string): string {
  const columns = key.map((column) => `${alias}.${column.sql}`)
  return columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`
}

/** The key of a row as a jsonb array of strings. */
export function keyAsJson(key: readonly KeyColumn[], alias: string): string {
  return `jsonb_build_array(${key.map((column) => `${alias}.${column.sql}::text`).join(', ')})`
}

/**
 * `$n` and on, cast to the columns' types. The text in between keeps the driver from guessing a type of its own for
 * the parameter.
 */
export function keyPlaceholders(key: readonly KeyColumn[], first: number): string {
  const values = key.map((column, index) => `$${first + index}::text::${column.type}`)
  return values.length === 1 ? values[0]! : `(${values.join(', ')})`
}
