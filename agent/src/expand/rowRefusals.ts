import type { Database, Sql } from '../database/connect.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { findRowWidth } from '../rollout/rowWidth.ts'

/** A table whose rows are too wide is read in samples; one with values in the column ends at the first of them. */
const READ_TIMEOUT_MS = 600_000

interface RowRefusal {
  /** The error code of the operation. */
  readonly code: string
  readonly text: string
}

/** What only the rows of the table say about expand: why it is refused, and what could happen later. */
export async function inspectRows(
  database: Database,
  { rollout, changes, faults }: Pick<RolloutFacts, 'rollout' | 'changes' | 'faults'>,
  table: Table,
): Promise<{ readonly refusals: readonly RowRefusal[]; readonly notes: readonly string[] }> {
  const sql = database.engine({ purpose: 'expand', readOnly: true, statementTimeoutMs: READ_TIMEOUT_MS })
  try {
    // After an expand, STI derived the values of the column, even if that was for an earlier rollout file.
    const key =
      table.discriminator !== null && changes.length === 0 ? await findExistingValue(sql, rollout, table) : null
    // A table that does not match its rollout file may lack a column of a condition.
    const width = faults.length === 0 ? await findRowWidth(sql, rollout, table) : null
    return {
      refusals: [
        ...(key === null ? [] : [{ code: 'existing-values', text: existingValueRefusal(rollout, key) }]),
        ...(width?.refused ? [{ code: 'row-width', text: width.text }] : []),
      ],
      notes: width === null || width.refused ? [] : [width.text],
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** @throws OperationFailedError with the first refusal */
export function requireNoRowRefusal([refusal]: readonly RowRefusal[]): void {
  if (refusal !== undefined) throw new OperationFailedError(refusal.code, refusal.text)
}

/** The key of a row with a value in the column; null: there is none. */
async function findExistingValue(
  sql: Sql,
  { table: name, discriminator }: Rollout,
  table: Table,
): Promise<string | null> {
  const [row] = await sql.unsafe<{ key: string }[]>(
    `select /* sti */ concat_ws(', ', ${table.key.map((column) => `t.${column.sql}::text`).join(', ')}) as key
     from ${name.sql} as t where t.${discriminator.sql} is not null limit 1`,
  )
  return row?.key ?? null
}

/**
 * A column that existed before the rollout must be empty: the data rollback could not distinguish its values from derived
 * ones.
 */
const existingValueRefusal = ({ discriminator }: Rollout, key: string): string =>
  `Column ${discriminator.sql} existed before the rollout and holds a value (row ${key}): the data rollback could not distinguish it from derived values. ` +
  'Set the column to NULL or drop it, then expand.'
