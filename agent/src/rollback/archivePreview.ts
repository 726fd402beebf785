import type { Database } from '../database/connect.ts'
import { classifyError } from '../database/errors.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { formatCount, formatQuantity } from '../format/format.ts'
import type { Prefill, RolloutFacts } from '../kind/facts.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { isInexpressible } from './archiveValues.ts'
import { columnCreatedBySti, mustClearColumn } from './revertChanges.ts'

/** How many types the rollback archives, counted now. */
export async function archiveNotes(database: Database, facts: RolloutFacts): Promise<string[]> {
  const { rollout, table, activePrefill: prefilled, validation } = facts
  if (table?.discriminator == null || !(columnCreatedBySti(facts) || mustClearColumn(facts))) return []
  const prefillNote =
    prefilled === null
      ? []
      : [`Rows that hold ${prefilled.type}, the constant of the prefill, are not archived, since nobody wrote it.`]
  const counted = await countInexpressibleValues(database, rollout, prefilled)
  if (counted !== null)
    return [`Archives ${formatQuantity(counted, 'type')} that legacy columns cannot express.`, ...prefillNote]
  const lastCount = validation?.confusion
    .filter(({ actual, expected }) => actual !== null && actual !== expected)
    .reduce((sum, { rows }) => sum + rows, 0)
  const basis =
    lastCount === undefined || validation?.totalRows == null
      ? 'No validation has counted them'
      : `Validation ${validation.id} counted ${formatCount(lastCount)} at ${validation.startedAt}`
  return [
    `Archives all types that legacy columns cannot express. ${basis}; counting them now takes too long, or an expression raises an error.`,
    ...prefillNote,
  ]
}

/** How long a preview counts. */
const COUNT_TIMEOUT_MS = 5_000

/**
 * Counts the types that a rollback would archive now. Null: it takes too long for a preview, or an expression of the file
 * raises an error for some row.
 */
async function countInexpressibleValues(
  database: Database,
  rollout: Rollout,
  prefilled: Prefill | null,
): Promise<number | null> {
  const sql = database.engine({
    purpose: 'preview',
    readOnly: true,
    statementTimeoutMs: COUNT_TIMEOUT_MS,
  })
  try {
    const answer = await sql.unsafe<{ rows: number }[]>(
      `select /* sti */ count(*)::float8 as rows from ${rollout.table.sql} as t where ${isInexpressible(rollout, prefilled)}`,
    )
    return onlyRow(answer).rows
  } catch (error) {
    if (!['row', 'cancelled'].includes(classifyError(error))) throw error
    return null
  } finally {
    await sql.end({ timeout: 1 })
  }
}
