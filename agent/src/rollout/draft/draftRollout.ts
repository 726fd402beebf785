import type { Sql } from '../../database/connect.ts'
import { checkAgainstTable, undeclaredTriggers } from '../checkAgainstTable.ts'
import { compileRollout } from '../compileRollout.ts'
import { parseTableName } from '../identifiers.ts'
import { inspectTable } from '../inspectTable.ts'
import { chooseTypes } from './chooseTypes.ts'
import { readDraftInput } from './readDraftInput.ts'
import { writeDraft } from './writeDraft.ts'

/**
 * A draft of a rollout file for a table, and what `sti check` finds in it. Changes nothing in the database.
 *
 * @param columns names of the columns that decide the type; empty: the likeliest ones
 * @throws InvalidSqlError, UnsupportedTableError, NoTypesError
 */
export async function draftRollout(
  sql: Sql,
  tableName: string,
  columns: readonly string[],
): Promise<{ text: string; faults: string[] }> {
  const name = parseTableName(tableName)
  const table = await inspectTable(sql, { table: name, path: 'the command line', discriminator: { column: 'type' } })
  const discriminator = table.columns.some((column) => column.name === 'type') ? 'sti_type' : 'type'
  const input = await readDraftInput(sql, name, table, discriminator)
  const text = writeDraft(input, chooseTypes(input, columns), discriminator)
  const { rollout, faults } = compileRollout('draft.yaml', text)
  if (!rollout) return { text, faults: [...faults] }
  const drafted = await inspectTable(sql, rollout)
  const found = await checkAgainstTable(sql, rollout, drafted)
  return { text, faults: [...found, ...undeclaredTriggers(rollout, drafted)] }
}
