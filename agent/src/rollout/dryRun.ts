import postgres from 'postgres'
import type { Sql } from '../database/connect.ts'
import { quoteIdentifier } from './identifiers.ts'
import type { Rollout, Table } from './rollout.ts'

/** What PostgreSQL answered to the last statement that returns rows, or why it refused. */
export type DryRunResult =
  { readonly rows: readonly Record<string, unknown>[] } | { readonly refused: string; readonly sqlstate: string }

/** An empty temporary table with the columns of the real one that a probe keeps. */
export const DRY_RUN_TABLE = '"~sti_check"'

/**
 * Runs statements over an empty copy of the table that holds only `columns`, with their types, collations, NOT NULL
 * and those CHECK constraints that need no other column. One call is one transaction, and its last statement rolls it
 * back; after an error the server has done so already. So nothing stays, on whatever connection.
 */
export function dryRunOnEmptyCopy(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  columns: readonly string[],
  statements: string[],
): Promise<DryRunResult> {
  const droppedColumns = table.columns.filter((column) => !columns.includes(column.name))
  return dryRun(sql, rollout, [
    `create temporary table ${DRY_RUN_TABLE} (like ${rollout.table.sql} including constraints)`,
    ...(droppedColumns.length > 0
      ? [
          `alter table ${DRY_RUN_TABLE} ${droppedColumns.map((column) => `drop column ${quoteIdentifier(column.name)}`).join(', ')}`,
        ]
      : []),
    ...statements,
  ])
}

/** Runs statements as one transaction that is rolled back. Throws what says nothing of the file: a lost connection, a lock. */
export async function dryRun(sql: Sql, rollout: Rollout, statements: string[]): Promise<DryRunResult> {
  const text = [`set local search_path = ${rollout.searchPath}`, ...statements, 'rollback'].join('\n;\n')
  try {
    const results = (await sql.unsafe(text)) as unknown as Record<string, unknown>[][]
    return { rows: results.findLast((rows) => rows.length > 0) ?? [] }
  } catch (error) {
    if (error instanceof postgres.PostgresError && /^(0A|22|23|2B|3F|42|44|54|P0)/.test(error.code)) {
      return { refused: error.message, sqlstate: error.code }
    }
    throw error
  }
}
