import type { Sql } from '../../database/connect.ts'
import { formatQuantity } from '../../format/format.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { keyAsJson, type Key } from '../../engine/keys.ts'
import { rangeCondition, readNextRange, type KeyedTable } from '../../engine/keyRange.ts'
import type { ValidationCheck } from '../check.ts'

const ROWS_PER_RANGE = 200_000
const MAX_SAMPLE_KEYS = 10

/**
 * No key occurs twice. PostgreSQL prevents duplicates, so they can only come from a corrupt index or a modified catalog.
 * The check counts the rows of each key, range by range.
 */
export const keyUnique: ValidationCheck = {
  name: 'key-unique',
  layer: 'integrity',
  unit: 'count',
  seconds: 600,
  async run({ sql, rollout, table, run }) {
    const walked = { table: rollout.table, key: table.key }
    const duplicateKeys: Key[] = []
    let rows = 0
    let low: Key | null = null
    while (run.directive() === 'continue') {
      const range = await readNextRange(sql, walked, low, null, ROWS_PER_RANGE)
      if (range === null) break
      const { condition, values } = rangeCondition(walked, range, 1)
      const result = await findDuplicateKeys(sql, walked, condition, values)
      duplicateKeys.push(...result.keys)
      rows += result.rows
      low = range.high
    }
    const names = table.key.map((column) => column.sql).join(', ')
    return {
      verdict: rows === 0 ? 'pass' : 'fail',
      value: rows,
      limit: 0,
      discrepancies: rows,
      sampleKeys: duplicateKeys.slice(0, MAX_SAMPLE_KEYS),
      detail:
        rows === 0
          ? `every key (${names}) is unique`
          : `${formatQuantity(rows, 'key')} (${names}) occur${rows === 1 ? 's' : ''} more than once (limit 0): the unique index is corrupt; keep one row of each, then REINDEX it`,
      query: duplicateKeysSql(walked, '…'),
    }
  },
}

function duplicateKeysSql(walked: KeyedTable, condition: string): string {
  const columns = walked.key.map((column) => `t.${column.sql}`).join(', ')
  return `with /* sti */ twice as materialized (
      select ${keyAsJson(walked.key, 't')} as key from ${walked.table.sql} as t where ${condition} group by ${columns} having count(*) > 1)
    select (select count(*) from twice)::int as rows, (select coalesce(jsonb_agg(key), '[]') from (select key from twice limit ${MAX_SAMPLE_KEYS}) t) as keys`
}

async function findDuplicateKeys(
  sql: Sql,
  walked: KeyedTable,
  condition: string,
  values: string[],
): Promise<{ rows: number; keys: Key[] }> {
  return onlyRow(
    await sql.unsafe<{ rows: number; keys: Key[] }[]>(duplicateKeysSql(walked, condition), values, { prepare: true }),
  )
}
