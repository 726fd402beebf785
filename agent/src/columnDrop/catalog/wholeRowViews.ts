import type { Sql } from '../../database/connect.ts'
import { parseStatements } from '../../rollout/sqlParser.ts'
import type { ColumnLookup, ColumnUseTarget } from '../../statements/columnUseTarget.ts'
import { findColumnUses } from '../../statements/columnUses.ts'
import { partitionTreeCte } from '../../statements/partitionTreeCte.ts'
import type { BlockingDependency } from './legacyCatalog.ts'

/** Views that read whole rows of the table: for these, PostgreSQL records only a dependency on the table. */
export async function readWholeRowViews(
  sql: Sql,
  oid: number,
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
): Promise<BlockingDependency[]> {
  const views = await sql<{ name: string; definition: string }[]>`
    with /* sti */ ${partitionTreeCte(sql, oid)}
    select distinct (pg_identify_object('pg_class'::regclass, r.ev_class, 0)).identity as name, pg_get_viewdef(r.ev_class) as definition
    from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid in (select oid from tree)
      and c.relkind in ('v', 'm') order by 1`
  return views
    .filter(({ definition }) => {
      const { reads } = findColumnUses(parseStatements(definition), target, columnsOf)
      return reads.length === target.legacy.length && /\.\*::/.test(definition)
    })
    .map(({ name }) => ({
      kind: 'view',
      identity: name,
      columns: target.legacy,
      why: 'It reads whole rows of the table, including the columns. List its columns explicitly, or drop it',
    }))
}
