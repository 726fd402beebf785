import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { compareKeys, keyColumns, keyParameters, type Key } from '../../engine/keys.ts'
import { rangeCondition, type KeyRange } from '../../engine/keyRange.ts'
import type { ArchiveContext } from './archiveRange.ts'
import { valuesDiffer, columnList, keysMatch } from './archiveSql.ts'

/** The result of a comparison of archive and table. */
export interface ArchiveComparison {
  readonly rows: number
  readonly archivedRows: number
  /** Rows that are missing on one side or differ. */
  readonly differing: number
  /** Covers key and legacy columns of the table's rows, in any order; 16 hexadecimal digits. */
  readonly checksum: string
}

export const EMPTY_COMPARISON: ArchiveComparison = { rows: 0, archivedRows: 0, differing: 0, checksum: '0'.repeat(16) }

export function addComparisons(first: ArchiveComparison, second: ArchiveComparison): ArchiveComparison {
  const checksum = BigInt(`0x${first.checksum}`) ^ BigInt(`0x${second.checksum}`)
  return {
    rows: first.rows + second.rows,
    archivedRows: first.archivedRows + second.archivedRows,
    differing: first.differing + second.differing,
    checksum: checksum.toString(16).padStart(16, '0'),
  }
}

/**
 * Compares one range in one statement, and so in one snapshot: the triggers write the archive in the transaction of
 * the row. The checksum covers the binary form of the values, which does not depend on settings.
 */
export async function compareRange(
  sql: Sql,
  { archive, walked, layout }: ArchiveContext,
  range: KeyRange,
): Promise<ArchiveComparison> {
  const { condition, values } = rangeCondition(walked, range, 1)
  const side = (table: string): string =>
    `(select true as "~here", ${columnList(layout, 't')} from ${table} as t where ${condition})`
  const image = `pg_catalog.md5(pg_catalog.record_send(row(${columnList(layout, 't')})))`
  const answer = await sql.unsafe<ArchiveComparison[]>(
    `select /* sti */ count(t."~here")::int as rows, count(a."~here")::int as "archivedRows",
       count(*) filter (where t."~here" is null or a."~here" is null or ${valuesDiffer(layout, 't', 'a')})::int as differing,
       lpad(to_hex(coalesce(bit_xor(('x' || substr(${image}, 1, 16))::bit(64)::bigint) filter (where t."~here"), 0)), 16, '0') as checksum
     from ${side(walked.table.sql)} as t full join ${side(archive.sql)} as a on ${keysMatch(layout, 't', 'a')}`,
    values,
    { prepare: true },
  )
  return onlyRow(answer)
}

/** The condition for rows after `low`, the table's last row. The archive must not have any. */
export function rowsAfter({ walked }: Pick<ArchiveContext, 'walked'>, low: Key | null, first: number) {
  return low === null
    ? { condition: 'true', values: [] }
    : {
        condition: compareKeys(walked.key, '>', keyColumns(walked.key, 't'), keyParameters(walked.key, first)),
        values: [...low],
      }
}

/**
 * Compares the rows after `low`: either only the archive has rows there, or rows were added to both in the meantime.
 */
export async function compareTail(sql: Sql, context: ArchiveContext, low: Key | null): Promise<ArchiveComparison> {
  const { archive, walked, layout } = context
  const { condition, values } = rowsAfter(context, low, 1)
  const answer = await sql.unsafe<{ archived: number; differing: number }[]>(
    `select /* sti */ count(*)::int as archived,
       count(*) filter (where s."~here" is null)::int as differing
     from ${archive.sql} as t left join (select true as "~here", ${columnList(layout, 's')} from ${walked.table.sql} as s) as s
       on ${keysMatch(layout, 's', 't')} where ${condition}`,
    values,
  )
  const { differing } = onlyRow(answer)
  return { ...EMPTY_COMPARISON, archivedRows: differing, differing }
}
