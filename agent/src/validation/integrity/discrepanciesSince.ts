import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { keyAsJson, type Key } from '../../engine/keys.ts'
import { tagStatement } from '../../database/tagStatement.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'

/** Rows looked at; of a larger table a sample of its pages. */
const SAMPLE_ROWS = 200_000
const MAX_DISCREPANCIES = 1_000
/** Between the two looks at a row that is wrong. */
const RECHECK_DELAY_MS = 2_000

export interface DiscrepanciesSince {
  readonly query: string
  /** Rows that were written since. */
  readonly writtenRows: number
  /** Of them, those that held another type than their legacy columns say, and have been written again since. */
  readonly rewritten: number
  /** Those that still do. */
  readonly persistent: readonly Key[]
  /** Of how much of the table this speaks, in words; empty: of all of it. */
  readonly sampleNote: string
}

/** Rows that were written since an operation ended, and hold another type than their legacy columns say: looked at twice. */
export async function findDiscrepanciesSince(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  operation: number,
): Promise<DiscrepanciesSince> {
  const percent = Math.min(100, (100 * SAMPLE_ROWS) / Math.max(1, table.estimatedRows ?? 1))
  const {
    text: statement,
    rows: writtenRows,
    wrong: discrepancies,
  } = await sampleRowsWrittenSince(sql, rollout, table, operation, percent)
  if (discrepancies.length > 0) await delay(RECHECK_DELAY_MS)
  const persistent = await findPersistentDiscrepancies(sql, rollout, table, discrepancies)
  const sampleNote = percent < 100 ? ` in ${Math.round(percent * 10) / 10} % of its pages` : ''
  return { query: statement, writtenRows, rewritten: discrepancies.length - persistent.length, persistent, sampleNote }
}

interface WrittenRow {
  readonly key: Key
  readonly version: string
}

/** The row of an operation was last written when it ended: younger rows are others' writes. */
async function sampleRowsWrittenSince(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  operation: number,
  percent: number,
): Promise<{ text: string; rows: number; wrong: WrittenRow[] }> {
  const differs = `t.${rollout.discriminator.sql} is distinct from ${rollout.derive('t')}`
  const text = tagStatement(
    `select count(*)::int as rows, coalesce(jsonb_agg(jsonb_build_object('key', ${keyAsJson(table.key, 't')}, 'version', t.xmin::text))
       filter (where ${differs}), '[]') as wrong
     from ${rollout.table.sql} as t tablesample system (${percent})
     where age(t.xmin) < (select age(o.xmin) from sti.operation o where o.id = ${operation})`,
  )
  const { rows, wrong } = onlyRow(await sql.unsafe<{ rows: number; wrong: WrittenRow[] }[]>(text))
  return { text, rows, wrong: wrong.slice(0, MAX_DISCREPANCIES) }
}

/** Those that are as they were a moment ago, and wrong. */
async function findPersistentDiscrepancies(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  discrepancies: readonly WrittenRow[],
): Promise<Key[]> {
  if (discrepancies.length === 0) return []
  const keyConditions = table.key.map(
    (column, index) => `t.${column.sql} = (w.value->'key'->>${index})::${column.type}`,
  )
  const answer = await sql.unsafe<{ keys: Key[] }[]>(
    tagStatement(`select coalesce(jsonb_agg(w.value->'key'), '[]') as keys
      from jsonb_array_elements($1::text::jsonb) as w (value) join ${rollout.table.sql} as t on ${keyConditions.join(' and ')}
      where t.xmin::text = w.value->>'version' and t.${rollout.discriminator.sql} is distinct from ${rollout.derive('t')}`),
    [JSON.stringify(discrepancies)],
  )
  return onlyRow(answer).keys
}
