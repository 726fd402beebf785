import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import type { Table } from '../rollout/rollout.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { errorCode } from '../database/errors.ts'
import { tagStatement } from '../database/tagStatement.ts'

/** Row count and XOR of a 64-bit hash per row (hex). Equal rows have equal checksums within one server. */
export interface TableChecksum {
  readonly rows: number
  readonly checksum: string
}

/**
 * Reads the whole table except one column, in one snapshot. Null if that took longer than the connection's
 * statement_timeout.
 */
export async function readTableChecksum(
  sql: Sql,
  { sql: name }: QualifiedName,
  { columns }: Table,
  excludedColumn: string,
): Promise<TableChecksum | null> {
  const columnList = columns.filter((column) => column.name !== excludedColumn).map((column) => `t.${column.sql}`)
  try {
    const result = await sql.unsafe<{ rows: number; checksum: string }[]>(
      tagStatement(`select count(*)::float8 as rows,
        coalesce(bit_xor(hashtextextended(row(${columnList.join(', ')})::text, 0)), 0)::text as checksum from ${name} as t`),
    )
    const { rows, checksum } = onlyRow(result)
    return { rows, checksum: BigInt.asUintN(64, BigInt(checksum)).toString(16) }
  } catch (error) {
    if (errorCode(error) === '57014') return null
    throw error
  }
}
