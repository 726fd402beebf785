import { formatQuantity } from '../../format/format.ts'
import type { Sql } from '../../database/connect.ts'
import { parseStatements } from '../../rollout/sqlParser.ts'
import { partitionTreeCte } from '../../statements/partitionTreeCte.ts'
import { findColumnUses } from '../../statements/columnUses.ts'
import type { DropCheck, DropCheckContext } from './dropCheck.ts'

export const noDependentObjects: DropCheck = {
  name: 'no-dependent-objects',
  question: 'Is the database free of objects that depend on the columns?',
  async run(context) {
    const { catalog, sql, table, rollout } = context
    const blocking = catalog.blocking.map(
      ({ kind, identity, columns, why }) => `${kind} ${identity} depends on ${columns.join(', ')}: ${why}`,
    )
    const shared = await readSharedObjects(sql, table.oid, rollout.legacyColumns)
    const wholeRowViews = await readWholeRowViews(context)
    const problems = [
      ...blocking,
      ...shared.map(
        ({ kind, name, others }) =>
          `${kind} ${name} also covers ${others.join(', ')} and would be dropped with the columns: replace it with one that does not use them first`,
      ),
      ...wholeRowViews.map(
        (name) => `view ${name} reads whole rows of the table, including the columns: list its columns explicitly`,
      ),
    ]
    const droppedObjects = [
      ...catalog.indexes.map(({ sql: name }) => `index ${name}`),
      ...catalog.constraints
        .filter(({ kind }) => kind !== 'not null')
        .map(({ kind, name, on }) => `${kind} constraint ${name} of ${on}`),
      ...catalog.statistics.map(({ sql: name }) => `statistics ${name}`),
    ]
    const droppedObjectsNote =
      droppedObjects.length === 0
        ? ''
        : `; ${formatQuantity(droppedObjects.length, 'object')} on the columns alone will be dropped with them and recreated by the undo`
    if (problems.length > 0)
      return {
        verdict: 'fail',
        evidence: `${formatQuantity(problems.length, 'object depends', 'objects depend')} on the columns: ${problems.join('; ')}`,
        findings: problems,
      }
    return {
      verdict: 'pass',
      evidence: `no object depends on the columns${droppedObjectsNote}`,
      findings: droppedObjects,
    }
  },
}

interface SharedObject {
  readonly kind: string
  readonly name: string
  readonly others: string[]
}

/** Objects that PostgreSQL would silently drop although they also cover other columns. */
async function readSharedObjects(sql: Sql, oid: number, columns: readonly string[]): Promise<SharedObject[]> {
  return await sql<SharedObject[]>`
    with /* sti */ ${partitionTreeCte(sql, oid)}, legacy as materialized (
      select a.attrelid, a.attnum from tree join pg_attribute a on a.attrelid = tree.oid and a.attnum > 0 and not a.attisdropped
      where a.attname in (select jsonb_array_elements_text(${sql.json([...columns])}::jsonb))
    ), owned as (
      select d.classid, d.objid, d.refobjid as relation, array_agg(d.refobjsubid) as numbers
      from pg_depend d join tree on tree.oid = d.refobjid
      where d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
        and d.classid in ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass)
        and (d.classid <> 'pg_class'::regclass or (select c.relkind in ('i', 'I') from pg_class c where c.oid = d.objid))
        and (d.classid <> 'pg_constraint'::regclass or (select k.conrelid in (select t.oid from tree t) from pg_constraint k where k.oid = d.objid))
      group by 1, 2, 3
    )
    select case o.classid when 'pg_class'::regclass then 'index' when 'pg_constraint'::regclass then 'constraint' else 'statistics object' end as kind,
      (pg_identify_object(o.classid, o.objid, 0)).identity as name,
      (select jsonb_agg(a.attname order by a.attnum) from pg_attribute a where a.attrelid = o.relation and a.attnum = any (o.numbers)
        and not exists (select from legacy l where l.attrelid = a.attrelid and l.attnum = a.attnum)) as others
    from owned o
    where exists (select from legacy l where l.attrelid = o.relation and l.attnum = any (o.numbers))
      and exists (select from unnest(o.numbers) n where not exists (
        select from legacy l where l.attrelid = o.relation and l.attnum = n))
    order by 1, 2`
}

/** For a whole-row reference, PostgreSQL records only a dependency on the table. */
async function readWholeRowViews({ sql, table, target, columnsOf }: DropCheckContext): Promise<string[]> {
  const views = await sql<{ name: string; definition: string }[]>`
    with /* sti */ ${partitionTreeCte(sql, table.oid)}
    select distinct (pg_identify_object('pg_class'::regclass, r.ev_class, 0)).identity as name, pg_get_viewdef(r.ev_class) as definition
    from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid in (select oid from tree)
      and c.relkind in ('v', 'm') order by 1`
  return views
    .filter(({ definition }) => {
      const { reads } = findColumnUses(parseStatements(definition), target, columnsOf)
      return reads.length === target.legacy.length && /\.\*::/.test(definition)
    })
    .map(({ name }) => name)
}
