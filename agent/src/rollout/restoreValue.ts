import { columnOf, qualifyColumns, type Expression, type RowSource } from './expression.ts'
import type { RestoreValue, Rollout } from './rollout.ts'
import type { RestoreEntry } from './rolloutFile.ts'

/** Compiles the `restore` value of `column`. */
export function compileRestoreValue(
  column: string,
  entry: RestoreEntry,
  parse: (text: string) => Expression,
): RestoreValue {
  if (entry === 'keep') return { kind: 'keep', text: entry, sql: (row) => columnOf(row, column) }
  if (typeof entry === 'string') {
    // A line break ends a comment in the constant.
    const sql = entry.includes('--') ? `(${entry}\n)` : entry
    return { kind: 'constant', text: entry, sql: () => sql }
  }
  const expression = parse(entry.sql)
  return { kind: 'expression', text: entry.sql, sql: (row) => qualifyColumns(expression, row) }
}

/** The row after a write of `type` alone: restored legacy columns, and every other column as in `row`. */
export function restoredRow(rollout: Rollout, type: string, row: RowSource): RowSource {
  const values = rollout.restoreValues(type)
  return (column) => values?.get(column)?.sql(row) ?? columnOf(row, column)
}

/**
 * True if `derive(restore(type)) = type` depends on no row, so that it can be checked once: `restore` sets every column that
 * a `when` reads to a constant.
 */
export function isRestoreDecided(rollout: Rollout, type: string): boolean {
  const values = rollout.restoreValues(type)
  return values !== null && rollout.conditionColumns.every((column) => values.get(column)?.kind === 'constant')
}

/** True if an expression of a `restore` might raise an error for some row. */
export function restoreMayRaise(rollout: Rollout, type: string): boolean {
  return [...(rollout.restoreValues(type)?.values() ?? [])].some((value) => value.kind === 'expression')
}
