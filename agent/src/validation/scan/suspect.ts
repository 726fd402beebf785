import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { tuple, type Key } from '../../engine/keys.ts'
import { differs, type Reading } from './reading.ts'

/** A row that was wrong when it was read, and which version of it that was. */
export interface Suspect {
  readonly key: Key
  readonly xmin: string
  readonly ctid: string
  readonly relation: number
  readonly actual: string | null
  readonly expected: string | null
}

/** What a suspect is now; null: it is gone. */
export type Seen = Omit<Suspect, 'key'> | null

/** Looks at these rows again, by key, in one statement. */
export async function lookAgain(sql: Sql, { rollout, walked }: Reading, suspects: readonly Suspect[]): Promise<Seen[]> {
  const columns = walked.key.map((column, index) => `(k.value->>${index})::${column.type}`)
  const key = columns.length === 1 ? columns[0]! : `(${columns.join(', ')})`
  const answer = await sql.unsafe<{ seen: Seen[] }[]>(
    `select /* sti */ coalesce(jsonb_agg(s.row order by k.place), '[]') as seen
     from jsonb_array_elements($1::text::jsonb) with ordinality as k (value, place)
     left join lateral (select jsonb_build_object('xmin', t.xmin::text, 'ctid', t.ctid::text, 'relation', t.tableoid::int8,
         'actual', t.${rollout.discriminator.sql}::text, 'expected', (${rollout.derive('t')})::text) as row
       from ${rollout.table.sql} as t where ${tuple(walked.key, 't')} = ${key} limit 1) s on true`,
    [JSON.stringify(suspects.map((suspect) => suspect.key))],
  )
  return onlyRow(answer).seen
}

export function isRight(reading: Reading, seen: Seen): boolean {
  return seen === null || !differs(reading, seen)
}

export function sameVersion(a: Suspect, b: NonNullable<Seen>): boolean {
  return a.xmin === b.xmin && a.ctid === b.ctid && a.relation === b.relation
}
