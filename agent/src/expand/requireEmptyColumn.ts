import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Table } from '../rollout/rollout.ts'

/**
 * A column that existed before the rollout must be empty: the data rollback could not distinguish its values from
 * derived ones.
 * @throws OperationFailedError `existing-values`
 */
export async function requireEmptyColumn({ rollout, database }: RunContext, table: Table): Promise<void> {
  const sql = database.engine({
    purpose: 'expand',
    readOnly: true,
    statementTimeoutMs: 600_000,
  })
  try {
    const type = rollout.discriminator.sql
    const [row] = await sql.unsafe<{ key: string }[]>(
      `select /* sti */ concat_ws(', ', ${table.key.map((column) => `t.${column.sql}::text`).join(', ')}) as key
       from ${rollout.table.sql} as t where t.${type} is not null limit 1`,
    )
    if (row === undefined) return
    throw new OperationFailedError(
      'existing-values',
      `Column ${type} existed before the rollout and holds a value (row ${row.key}): the data rollback could not distinguish it from derived values. ` +
        'Set the column to NULL or drop it, then expand.',
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}
