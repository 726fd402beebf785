import { constantText } from '../rollout/constantText.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Column, Table } from '../rollout/rollout.ts'
import { sameImageSql } from '../rollout/valueComparison.ts'

/**
 * SQL for the trigger: true if a write has not changed a legacy column. For an UPDATE, values are compared byte by byte,
 * which works for types without equality (json). An INSERT does not tell which columns it sets: a column with its constant
 * default counts as not set, and a column whose default is not a constant counts as set.
 */
export function columnUnchangedSql(column: Column): string {
  const { sql } = column
  const same = sameImageSql(`new.${sql}`, `old.${sql}`)
  return `(case tg_op when 'UPDATE' then ${same} else ${holdsDefaultSql(column)} end)`
}

/** The column defaults that the conditions depend on. */
export function columnDefaultsJson(table: Pick<Table, 'columns'>, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => table.columns.find((column) => column.name === name)?.default ?? null))
}

/** SQL for the trigger: true if an INSERT omitted the column or set it to its default. */
export function holdsDefaultSql({ sql, type, default: defaultExpression, identity }: Column): string {
  if (identity !== null) return 'false'
  if (defaultExpression === null) return `new.${sql} is null`
  const constant = constantText(defaultExpression)
  if (constant === undefined) return 'false'
  if (constant === null) return `new.${sql} is null`
  return sameImageSql(`new.${sql}`, `${quoteLiteral(constant)}::${type}`)
}
