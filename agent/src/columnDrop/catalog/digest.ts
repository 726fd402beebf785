import type { Sql } from '../../database/connect.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'

/**
 * An SQL expression for one MD5 hash over types, defaults, and dependencies of the table's columns, which the
 * migration evaluates again. It excludes partitions, since those are created and dropped regularly, and STI's own
 * triggers.
 */
export function digestSql(rollout: Rollout, columns: readonly string[]): string {
  const table = `to_regclass(${quoteLiteral(rollout.table.sql)})`
  const names = columns.map(quoteLiteral).join(', ')
  return `(select md5(coalesce(string_agg(line, E'\\n' order by line collate "C"), '')) from (
    select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)) as line
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = ${table} and a.attname in (${names}) and not a.attisdropped
    union all
    select concat_ws(' ', d.deptype, o.type, o.identity)
    from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) o
    where d.refclassid = 'pg_class'::regclass and d.refobjid = ${table} and a.attname in (${names})
      and not (o.type = 'trigger' and o.identity like '"~sti\\_%') and o.type <> 'default value'
  ) lines)`
}

export async function readDigest(sql: Sql, rollout: Rollout, columns: readonly string[]): Promise<string> {
  if (columns.length === 0) return ''
  const [row] = await sql.unsafe<{ digest: string }[]>(`select /* sti */ ${digestSql(rollout, columns)} as digest`)
  return row!.digest
}
