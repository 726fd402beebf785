import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { compareKeys, keyColumns, keyElements } from '../../engine/keys.ts'
import { isDiscrepancy, type ScanTarget, type SuspectRow } from './readRange.ts'

/** The current state of a suspect; null: the row no longer exists. */
export type RereadRow = Omit<SuspectRow, 'key'> | null

/** Reads these rows again by key in one statement. */
export async function rereadSuspects(
  sql: Sql,
  { rollout, walked }: ScanTarget,
  suspects: readonly SuspectRow[],
): Promise<RereadRow[]> {
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

export function isCorrect(target: ScanTarget, row: RereadRow): boolean {
  return row === null || !isDiscrepancy(target, row)
}

export function isSameVersion(a: SuspectRow, b: NonNullable<RereadRow>): boolean {
  return a.xmin === b.xmin && a.ctid === b.ctid && a.relation === b.relation
}
