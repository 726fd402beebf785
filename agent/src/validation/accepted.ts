import type { Sql } from '../database/connect.ts'
import { tuple } from '../engine/keys.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** How many of the rows that an admin accepted are still without a right type. */
export async function acceptedWrong(sql: Sql, rollout: Rollout, table: Table): Promise<number> {
  const keys = table.key.map((column, index) => `(f.key->>${index})::${column.type}`)
  const [row] = await sql.unsafe<{ rows: number }[]>(
    `select count(*)::int as rows from sti.failed_row f
     where f.rollout = $1::text and f.recovered_at is null and f.accepted_by is not null
       and exists (select from ${rollout.table.sql} as t where ${tuple(table.key, 't')} = ${keys.length === 1 ? keys[0] : `(${keys.join(', ')})`})`,
    [rollout.name],
  )
  return row!.rows
}
