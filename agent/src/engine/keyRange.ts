import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import type { KeyColumn } from '../rollout/rollout.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { compareKeys, keyAsJson, keyColumns, keyParameters, type Key } from './keys.ts'

/** Rows with low < key <= high, and their number when the range was cut. */
export interface KeyRange {
  readonly low: Key | null
  readonly high: Key
  readonly rows: number
}

export interface KeyedTable {
  readonly table: QualifiedName
  readonly key: readonly KeyColumn[]
}

/** The condition of a range on `t`. Its parameters start at `$first`. */
export function rangeCondition(
  target: KeyedTable,
  range: KeyRange,
  first: number,
): { condition: string; values: string[] } {
  const { key } = target
  const columns = keyColumns(key, 't')
  const high = compareKeys(key, '<=', columns, keyParameters(key, first))
  if (range.low === null) return { condition: high, values: [...range.high] }
  const low = compareKeys(key, '>', columns, keyParameters(key, first + key.length))
  return { condition: `${high} and ${low}`, values: [...range.high, ...range.low] }
}

/**
 * Cuts the next range of at most `rows` rows after `low`, up to `end`; null if there are none. Key spaces can be sparse,
 * so it counts rows along the index of the key and does not step through the values of an id.
 */
export async function readNextRange(
  sql: Sql,
  target: KeyedTable,
  low: Key | null,
  end: Key | null,
  rows: number,
): Promise<KeyRange | null> {
  const { key } = target
  const columns = keyColumns(key, 't')
  const conditions = [
    ...(low === null ? [] : [compareKeys(key, '>', columns, keyParameters(key, 2))]),
    ...(end === null ? [] : [compareKeys(key, '<=', columns, keyParameters(key, 2 + (low === null ? 0 : key.length)))]),
  ]
  const order = (direction: string): string => columns.map((column) => `${column} ${direction}`).join(', ')
  const rowsAfterLow = `select ${columns.join(', ')} from ${target.table.sql} as t
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''} order by ${order('asc')}`
  const values = [...(low ?? []), ...(end ?? [])]
  // Skipping rows along the index is far cheaper than counting them; only the last range must be counted.
  const { last: lastKey } = onlyRow(
    await sql.unsafe<{ last: Key | null }[]>(
      `select /* sti */ (select ${keyAsJson(key, 't')} from (${rowsAfterLow} offset $1::text::bigint - 1 limit 1) as t) as last`,
      [String(rows), ...values],
      { prepare: true },
    ),
  )
  if (lastKey !== null) return { low, high: lastKey, rows }
  const page = onlyRow(
    await sql.unsafe<{ rows: number; last: Key | null }[]>(
      `with /* sti */ page as materialized (${rowsAfterLow} limit $1::text::bigint)
       select (select count(*) from page)::int as rows,
         (select ${keyAsJson(key, 't')} from page as t order by ${order('desc')} limit 1) as last`,
      [String(rows), ...values],
      { prepare: true },
    ),
  )
  if (page.last === null) return null
  return { low, high: page.last, rows: page.rows }
}
