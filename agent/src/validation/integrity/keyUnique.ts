import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { keyAsJson, type Key } from '../../engine/keys.ts'
import { inRange, nextRange, type Walked } from '../../engine/range.ts'
import type { Check } from '../check.ts'

const ROWS = 200_000
const SAMPLES = 10

/**
 * No key occurs twice. PostgreSQL lets none in, so two can only come from a corrupt index or a tampered catalog: the
 * rows of each range are counted by key.
 */
export const keyUnique: Check = {
  name: 'key-unique',
  layer: 'integrity',
  seconds: 600,
  async run({ sql, rollout, table, run }) {
    const walked = { table: rollout.table, key: table.key }
    const twice: Key[] = []
    let rows = 0
    let low: Key | null = null
    while (run.asked() === 'go-on') {
      const range = await nextRange(sql, walked, low, null, ROWS)
      if (range === null) break
      const { condition, values } = inRange(walked, range, 1)
      const found = await duplicates(sql, walked, condition, values)
      twice.push(...found.keys)
      rows += found.rows
      low = range.high
    }
    const names = table.key.map((column) => column.sql).join(', ')
    return {
      verdict: rows === 0 ? 'pass' : 'fail',
      value: rows,
      limit: 0,
      discrepancies: rows,
      sampleKeys: twice.slice(0, SAMPLES),
      detail:
        rows === 0
          ? `each ${names} occurs once`
          : `keys (${names}) that occur more than once: the unique index is corrupt; keep one row of each, then REINDEX it`,
      query: statement(walked, '…'),
    }
  },
}

function statement(walked: Walked, condition: string): string {
  const columns = walked.key.map((column) => `t.${column.sql}`).join(', ')
  return `with /* sti */ twice as materialized (
      select ${keyAsJson(walked.key, 't')} as key from ${walked.table.sql} as t where ${condition} group by ${columns} having count(*) > 1)
    select (select count(*) from twice)::int as rows, (select coalesce(jsonb_agg(key), '[]') from (select key from twice limit ${SAMPLES}) t) as keys`
}

async function duplicates(
  sql: Sql,
  walked: Walked,
  condition: string,
  values: string[],
): Promise<{ rows: number; keys: Key[] }> {
  return onlyRow(
    await sql.unsafe<{ rows: number; keys: Key[] }[]>(statement(walked, condition), values, { prepare: true }),
  )
}
