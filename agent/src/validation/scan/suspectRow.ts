import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { compareKeys, keyColumns, keyElements, keyParameters } from '../../engine/keys.ts'
import { isDiscrepancy, type ScanTarget, type SuspectRow } from './readRange.ts'

/** The current state of a suspect; null: the row no longer exists. */
export type RereadRow = Omit<SuspectRow, 'key'> | null

/** Reads these rows again by key: in one statement, but one by one in shards, which Citus does not join with a list. */
export async function rereadSuspects(
  sql: Sql,
  target: ScanTarget,
  suspects: readonly SuspectRow[],
): Promise<RereadRow[]> {
  const { rollout, walked, table } = target
  if (table.citus !== null) return await Promise.all(suspects.map((suspect) => rereadInShard(sql, target, suspect)))
  const sameKey = compareKeys(walked.key, '=', keyColumns(walked.key, 't'), keyElements(walked.key, 'k.value'))
  const result = await sql.unsafe<{ seen: RereadRow[] }[]>(
    `select /* sti */ coalesce(jsonb_agg(s.row order by k.place), '[]') as seen
     from jsonb_array_elements($1::text::jsonb) with ordinality as k (value, place)
     left join lateral (select jsonb_build_object('xmin', t.xmin::text, 'ctid', t.ctid::text, 'relation', t.tableoid::int8,
         'actual', t.${rollout.discriminator.sql}::text, 'expected', (${rollout.derive('t')})::text) as row
       from ${rollout.table.sql} as t where ${sameKey} limit 1) s on true`,
    [JSON.stringify(suspects.map((suspect) => suspect.key))],
  )
  return onlyRow(result).seen
}

async function rereadInShard(sql: Sql, { rollout, walked }: ScanTarget, { key }: SuspectRow): Promise<RereadRow> {
  const sameKey = compareKeys(walked.key, '=', keyColumns(walked.key, 't'), keyParameters(walked.key, 1))
  const [row] = await sql.unsafe<NonNullable<RereadRow>[]>(
    `select /* sti */ t.xmin::text as xmin, t.ctid::text as ctid, t.tableoid::int8::float8 as relation,
       t.${rollout.discriminator.sql}::text as actual, (${rollout.derive('t')})::text as expected from ${rollout.table.sql} as t where ${sameKey}`,
    [...key],
  )
  return row ?? null
}

export function isCorrect(target: ScanTarget, row: RereadRow): boolean {
  return row === null || !isDiscrepancy(target, row)
}

export function isSameVersion(a: SuspectRow, b: NonNullable<RereadRow>): boolean {
  return a.xmin === b.xmin && a.ctid === b.ctid && a.relation === b.relation
}
