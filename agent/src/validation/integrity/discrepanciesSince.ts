import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { formatPercent } from '../../format/format.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { compareKeys, keyAsJson, keyColumns, keyElements, type Key } from '../../engine/keys.ts'
import { tagStatement } from '../../database/tagStatement.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'

/** Larger tables are sampled by pages to about this many rows. */
const SAMPLE_ROWS = 200_000
const MAX_DISCREPANCIES = 1_000
/** The delay before a wrong row is read again. */
const RECHECK_DELAY_MS = 2_000

export interface DiscrepanciesSince {
  readonly query: string
  /** Rows written since the operation. */
  readonly writtenRows: number
  /** Rows whose type did not match their legacy columns, but which were written again before the second read. */
  readonly rewritten: number
  /** Rows that still do not match. */
  readonly persistent: readonly Key[]
  /** The sampled share of the table, such as ` in a sample of 12.5% of its pages`; empty if all of it was read. */
  readonly sampleNote: string
}

/** Rows written since an operation ended whose type does not match their legacy columns, read twice. */
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
  const sampleNote = percent < 100 ? ` in a sample of ${formatPercent(percent / 100)} of its pages` : ''
  return { query: statement, writtenRows, rewritten: discrepancies.length - persistent.length, persistent, sampleNote }
}

interface WrittenRow {
  readonly key: Key
  readonly version: string
}

/** The operation's own row was last written when it ended, so rows with a younger xmin were written afterward. */
async function sampleRowsWrittenSince(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  operation: number,
  percent: number,
): Promise<{ text: string; rows: number; wrong: WrittenRow[] }> {
  const differs = mismatchCondition(rollout)
  const text = tagStatement(
    `select count(*)::int as rows, coalesce(jsonb_agg(jsonb_build_object('key', ${keyAsJson(table.key, 't')}, 'version', t.xmin::text))
       filter (where ${differs}), '[]') as wrong
     from ${rollout.table.sql} as t tablesample system (${percent})
     where age(t.xmin) < (select age(o.xmin) from sti.operation o where o.id = ${operation})`,
  )
  const { rows, wrong } = onlyRow(await sql.unsafe<{ rows: number; wrong: WrittenRow[] }[]>(text))
  return { text, rows, wrong: wrong.slice(0, MAX_DISCREPANCIES) }
}

/** Rows that have not changed since the first read and are still wrong. */
async function findPersistentDiscrepancies(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  discrepancies: readonly WrittenRow[],
): Promise<Key[]> {
  if (discrepancies.length === 0) return []
  const sameKey = compareKeys(table.key, '=', keyColumns(table.key, 't'), keyElements(table.key, `w.value->'key'`))
  const answer = await sql.unsafe<{ keys: Key[] }[]>(
    tagStatement(`select coalesce(jsonb_agg(w.value->'key'), '[]') as keys
      from jsonb_array_elements($1::text::jsonb) as w (value) join ${rollout.table.sql} as t on ${sameKey}
      where t.xmin::text = w.value->>'version' and ${mismatchCondition(rollout)}`),
    [JSON.stringify(discrepancies)],
  )
  return onlyRow(answer).keys
}

/** Legacy columns do not follow a type with `restore: none`, so the two may differ. */
function mismatchCondition(rollout: Rollout): string {
  const { sql, dataType } = rollout.discriminator
  const kept = rollout.file.dualWrite === 'trigger' ? rollout.typesWithoutRestore : []
  const list = kept.map((type) => `${quoteLiteral(type)}::${dataType}`).join(', ')
  const isKept = kept.length > 0 ? ` and (t.${sql} in (${list})) is not true` : ''
  return `t.${sql} is distinct from ${rollout.derive('t')}${isKept}`
}
