import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { classifyError } from '../../database/errors.ts'
import { compareKeys, keyColumns, keyElements, type Key } from '../../engine/keys.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'

/**
 * Counts the accepted rows that still exist and have a wrong type. An accepted row that is correct by now must not excuse
 * another wrong row.
 */
export async function countAcceptedDiscrepancies(sql: Sql, rollout: Rollout, table: Table): Promise<number> {
  const accepted = await sql<{ key: Key }[]>`
    select key from sti.failed_row where rollout = ${rollout.name} and recovered_at is null and accepted_by is not null`
  return await countDiscrepancies(
    sql,
    rollout,
    table,
    accepted.map((row) => row.key),
  )
}

/** If the expression raises an error, splits the rows in halves; a single row that raises counts as wrong. */
async function countDiscrepancies(sql: Sql, rollout: Rollout, table: Table, keys: readonly Key[]): Promise<number> {
  if (keys.length === 0) return 0
  try {
    return await queryDiscrepancyCount(sql, rollout, table, keys)
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    if (keys.length === 1) return 1
    const middle = Math.floor(keys.length / 2)
    const first = await countDiscrepancies(sql, rollout, table, keys.slice(0, middle))
    return first + (await countDiscrepancies(sql, rollout, table, keys.slice(middle)))
  }
}

async function queryDiscrepancyCount(sql: Sql, rollout: Rollout, table: Table, keys: readonly Key[]): Promise<number> {
  const sameKey = compareKeys(table.key, '=', keyColumns(table.key, 't'), keyElements(table.key, 'k.value'))
  const derived = rollout.derive('t')
  const answer = await sql.unsafe<{ rows: number }[]>(
    `select /* sti */ count(*)::int as rows from jsonb_array_elements($1::text::jsonb) as k (value)
     join ${rollout.table.sql} as t on ${sameKey}
     where t.${rollout.discriminator.sql} is distinct from ${derived} or ${derived} is null`,
    [JSON.stringify(keys)],
  )
  return onlyRow(answer).rows
}
