import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { bind, tuple, type Key } from '../../engine/keys.ts'
import { inRange, type Range } from '../../engine/range.ts'
import type { Archiving } from './copy.ts'
import { archiveTable, differs, listed, sameKey } from './names.ts'

/** What a comparison of archive and table has seen. */
export interface Comparison {
  readonly rows: number
  readonly archivedRows: number
  /** Rows that are not in both, or not the same. */
  readonly differing: number
  /** Over key and legacy columns of the table's rows, whatever their order; 16 hexadecimal digits. */
  readonly checksum: string
}

export const NOTHING_COMPARED: Comparison = { rows: 0, archivedRows: 0, differing: 0, checksum: '0'.repeat(16) }

export function added(one: Comparison, other: Comparison): Comparison {
  const checksum = BigInt(`0x${one.checksum}`) ^ BigInt(`0x${other.checksum}`)
  return {
    rows: one.rows + other.rows,
    archivedRows: one.archivedRows + other.archivedRows,
    differing: one.differing + other.differing,
    checksum: checksum.toString(16).padStart(16, '0'),
  }
}

/**
 * Compares one range in one statement, and so at one moment: the triggers write the archive in the transaction of their
 * row. The checksum is made of the types' binary form, which no setting changes.
 */
export async function compareRange(sql: Sql, { rollout, walked, kept }: Archiving, range: Range): Promise<Comparison> {
  const { condition, values } = inRange(walked, range, 1)
  const side = (table: string): string =>
    `(select true as "~here", ${listed(kept, 't')} from ${table} as t where ${condition})`
  const image = `pg_catalog.md5(pg_catalog.record_send(row(${listed(kept, 't')})))`
  const answer = await sql.unsafe<Comparison[]>(
    `select /* sti */ count(t."~here")::int as rows, count(a."~here")::int as "archivedRows",
       count(*) filter (where t."~here" is null or a."~here" is null or ${differs(kept, 't', 'a')})::int as differing,
       lpad(to_hex(coalesce(bit_xor(('x' || substr(${image}, 1, 16))::bit(64)::bigint) filter (where t."~here"), 0)), 16, '0') as checksum
     from ${side(walked.table.sql)} as t full join ${side(archiveTable(rollout).sql)} as a on ${sameKey(kept, 't', 'a')}`,
    values,
    { prepare: true },
  )
  return onlyRow(answer)
}

/** Rows of the archive after the last one of the table: there must be none. */
export function after({ walked }: Pick<Archiving, 'walked'>, low: Key | null, first: number) {
  return low === null
    ? { condition: 'true', values: [] }
    : { condition: `${tuple(walked.key, 't')} > ${bind(walked.key, first)}`, values: [...low] }
}

/** What stands after `low`: the archive alone may have rows there, or rows have come to both since. */
export async function compareRest(sql: Sql, of: Archiving, low: Key | null): Promise<Comparison> {
  const { rollout, walked, kept } = of
  const { condition, values } = after(of, low, 1)
  const answer = await sql.unsafe<{ archived: number; differing: number }[]>(
    `select /* sti */ count(*)::int as archived,
       count(*) filter (where not exists (select from ${walked.table.sql} as s where ${sameKey(kept, 's', 't')}))::int as differing
     from ${archiveTable(rollout).sql} as t where ${condition}`,
    values,
  )
  const { differing } = onlyRow(answer)
  return { ...NOTHING_COMPARED, archivedRows: differing, differing }
}
