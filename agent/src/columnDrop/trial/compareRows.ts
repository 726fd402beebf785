import { formatQuantity, formatCount } from '../../format/format.ts'
import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import { restoredRow } from '../../rollout/restoreValue.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { archiveLayout, keysMatch, rowsDiffer } from '../archive/archiveSql.ts'

/** One check of a migration trial. */
export interface TrialCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

/** Changes one row of each type to the next type. */
export function rotateTypesSql({ table, discriminator, types }: Rollout, key: string[], images: string): string {
  const value = (type: string): string => `${quoteLiteral(type)}::${discriminator.dataType}`
  const branches = types.map((type, n) => `when ${value(type)} then ${value(types[(n + 1) % types.length]!)}`)
  const list = key.join(', ')
  return `update ${table.sql} set ${discriminator.sql} = case ${discriminator.sql} ${branches.join(' ')} end
    where (${list}) in (select distinct on (${discriminator.sql}) ${list} from ${images}
      where ${discriminator.sql} is not null order by ${discriminator.sql}, ${list})`
}

/**
 * Checks that unchanged rows have their original values, and that the legacy columns of rows written by new code
 * match their type.
 */
export async function compareRows(sql: Sql, copy: Rollout, table: Table, images: string): Promise<TrialCheck> {
  const layout = archiveLayout(copy, table)
  const changed = rowsDiffer(table.columns, 't', 'b')
  const type = copy.discriminator.sql
  const writtenByNewCode = `(b.${layout.key[0]!.sql} is null or b.${type} is distinct from t.${type})`
  const answer = await sql.unsafe<{ same: number; other: number; says: number; not: number }[]>(
    `select count(*) filter (where not ${writtenByNewCode} and not ${changed})::int as same,
       count(*) filter (where not ${writtenByNewCode} and ${changed})::int as other,
       count(*) filter (where ${writtenByNewCode} and t.${type} is not distinct from ${copy.derive('t')})::int as says,
       count(*) filter (where ${writtenByNewCode} and t.${type} is distinct from ${copy.derive('t')} and ${canRestoreSql(copy)})::int as not
     from ${copy.table.sql} as t left join ${images} as b on ${keysMatch(layout, 't', 'b')}`,
  )
  const { same, other, says: matching, not: notMatching } = onlyRow(answer)
  return {
    check: 'every row has its original values, and the legacy columns of rows written by new code match their type',
    ok: other === 0 && notMatching === 0,
    detail: `${formatQuantity(same, 'row')} unchanged, ${formatCount(matching)} written by new code match${other + notMatching > 0 ? `; ${formatCount(other)} changed, ${formatCount(notMatching)} written by new code do not match` : ''}`,
  }
}

/** SQL: with its restored values, a row implies its type. A type with `restore: none` has none. */
function canRestoreSql(copy: Rollout): string {
  const { sql, dataType } = copy.discriminator
  const branches = copy.types
    .filter((type) => copy.restoreValues(type) !== null)
    .map((type) => {
      const literal = `${quoteLiteral(type)}::${dataType}`
      return `when t.${sql} = ${literal} then ${copy.derive(restoredRow(copy, type, 't'))} is not distinct from ${literal}`
    })
  return branches.length === 0 ? 'false' : `case ${branches.join(' ')} else false end`
}
