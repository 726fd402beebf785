import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { archiveLayout, keysMatch } from '../archive/archiveSql.ts'

/** One check of a migration trial. */
export interface TrialCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

/** One row of each type becomes the next one. */
export function rotateTypesSql({ table, discriminator, types }: Rollout, key: string[], images: string): string {
  const value = (type: string): string => `${quoteLiteral(type)}::${discriminator.dataType}`
  const branches = types.map((type, n) => `when ${value(type)} then ${value(types[(n + 1) % types.length]!)}`)
  const list = key.join(', ')
  return `update ${table.sql} set ${discriminator.sql} = case ${discriminator.sql} ${branches.join(' ')} end
    where (${list}) in (select distinct on (${discriminator.sql}) ${list} from ${images}
      where ${discriminator.sql} is not null order by ${discriminator.sql}, ${list})`
}

/** Rows that nobody wrote meanwhile are what they were; those that new code wrote say in their legacy columns what their type says. */
export async function compareRows(sql: Sql, copy: Rollout, table: Table, images: string): Promise<TrialCheck> {
  const layout = archiveLayout(copy, table)
  const row = (alias: string): string =>
    `row(${table.columns.map((column) => `${alias}.${column.sql}`).join(', ')})::record`
  const type = copy.discriminator.sql
  const writtenByNewCode = `(b.${layout.key[0]!.sql} is null or b.${type} is distinct from t.${type})`
  const answer = await sql.unsafe<{ same: number; other: number; says: number; not: number }[]>(
    `select count(*) filter (where not ${writtenByNewCode} and ${row('t')} operator(pg_catalog.*=) ${row('b')})::int as same,
       count(*) filter (where not ${writtenByNewCode} and ${row('t')} operator(pg_catalog.*<>) ${row('b')})::int as other,
       count(*) filter (where ${writtenByNewCode} and t.${type} is not distinct from ${copy.derive('t')})::int as says,
       count(*) filter (where ${writtenByNewCode} and t.${type} is distinct from ${copy.derive('t')})::int as not
     from ${copy.table.sql} as t left join ${images} as b on ${keysMatch(layout, 't', 'b')}`,
  )
  const { same, other, says: matching, not: notMatching } = onlyRow(answer)
  const lostRows = copy.file.restore === 'none' ? 0 : notMatching
  return {
    check: 'every row is what it was, and those that new code wrote say it in their legacy columns',
    ok: other === 0 && lostRows === 0,
    detail: `${same} rows the same, ${matching} written by new code say it${other + lostRows > 0 ? `; ${other} are not what they were, ${lostRows} do not say it` : ''}`,
  }
}
