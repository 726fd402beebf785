import type { Sql } from '../../database/connect.ts'
import type { BlockingDependency } from './legacyCatalog.ts'
import {
  qualifiedNameSql,
  PARTITION_TREE_CTES,
  partitionTreeParameters,
  type LegacyColumnSet,
} from './partitionTreeSql.ts'

/**
 * Everything in the catalog that keeps the columns from being dropped: what PostgreSQL would refuse to drop them for,
 * what it would silently drop although it also covers other columns, and what identifies rows. PostgreSQL does not record
 * the columns that function bodies written as text and whole rows use; separate readings cover those.
 */
export async function readBlockingDependencies(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  return [
    ...(await readRefusingDependencies(sql, legacy)),
    ...(await readSharedObjects(sql, legacy)),
    ...(await readKeyDependencies(sql, legacy)),
    ...(await readReplicaIdentities(sql, legacy)),
  ]
}

interface RefusingDependency {
  readonly kind: string
  readonly identity: string
  readonly columns: string[]
}

/**
 * `dropped` follows the dependencies as PostgreSQL does for DROP COLUMN: objects that depend on the columns automatically
 * are dropped with them, such as an index, and what depends on one of those in turn, such as the default of another table
 * that uses the column's sequence, makes PostgreSQL refuse.
 */
async function readRefusingDependencies(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  const dependencies = await sql.unsafe<RefusingDependency[]>(
    `with recursive /* sti */ ${PARTITION_TREE_CTES}, dropped (class, object, part, name) as (
       select 'pg_class'::regclass::oid, relation, number::int, name from legacy
       union
       select d.classid, d.objid, d.objsubid, x.name from dropped x
         join pg_depend d on d.refclassid = x.class and d.refobjid = x.object and (x.part = 0 or d.refobjsubid = x.part)
       where d.deptype in ('i', 'P', 'S') or (d.deptype = 'a' and d.objsubid = 0
         -- The undo recreates these; whatever else PostgreSQL drops with a column would be lost.
         and d.classid in ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass, 'pg_attrdef'::regclass))
     ), depending as (
       select distinct d.classid, d.objid, d.objsubid, x.name from dropped x
         join pg_depend d on d.refclassid = x.class and d.refobjid = x.object and (x.part = 0 or d.refobjsubid = x.part)
       where d.deptype in ('a', 'n', 'x')
         and not exists (select from dropped y where y.class = d.classid and y.object = d.objid and y.part in (0, d.objsubid))
       union
       -- PostgreSQL drops an index only with its constraint. An exclusion constraint depends on its own columns, and not on
       -- those of its condition.
       select d.refclassid, d.refobjid, d.refobjsubid, x.name from dropped x
         join pg_depend d on d.classid = x.class and d.objid = x.object and x.part = 0 and d.objsubid = 0 and d.deptype = 'i'
       where not exists (select from dropped y where y.class = d.refclassid and y.object = d.refobjid
         and y.part in (0, d.refobjsubid) and y.name = x.name)
     ), shown as (
       select x.name,
         case x.classid
           when 'pg_rewrite'::regclass then (select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'rule' end
             from pg_rewrite r join pg_class c on c.oid = r.ev_class where r.oid = x.objid)
           when 'pg_proc'::regclass then 'function'
           when 'pg_trigger'::regclass then 'trigger'
           when 'pg_policy'::regclass then 'policy'
           when 'pg_publication_rel'::regclass then 'publication'
           when 'pg_attrdef'::regclass then (select case when a.attgenerated <> '' then 'generated column' else 'column default' end
             from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where d.oid = x.objid)
           when 'pg_constraint'::regclass then (select case k.contype when 'f' then 'foreign key' when 'x' then 'exclusion constraint' else 'constraint' end
             from pg_constraint k where k.oid = x.objid)
           else o.type end as kind,
         case x.classid
           when 'pg_rewrite'::regclass then (select case when c.relkind in ('v', 'm') then ${qualifiedNameSql('c', 'n')} else o.identity end
             from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace where r.oid = x.objid)
           when 'pg_attrdef'::regclass then regexp_replace(o.identity, '^for ', '')
           else o.identity end as whom
       from depending x cross join lateral pg_identify_object(x.classid, x.objid, x.objsubid) o
       -- What a partition has from its parent is named with its parent.
       where case x.classid
         when 'pg_trigger'::regclass then (select t.tgparentid = 0 and t.tgname not like '~sti\\_%' from pg_trigger t where t.oid = x.objid)
         when 'pg_constraint'::regclass then (select k.conparentid = 0 from pg_constraint k where k.oid = x.objid)
         when 'pg_attrdef'::regclass then (select a.attislocal from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
           where d.oid = x.objid)
         else true end
     )
     select kind, whom as identity, jsonb_agg(distinct name) as columns from shown group by kind, whom order by kind, whom`,
    partitionTreeParameters(legacy),
  )
  return dependencies.map((dependency) => ({
    ...dependency,
    why: `PostgreSQL refuses to drop a column that ${/^[aeiou]/.test(dependency.kind) ? 'an' : 'a'} ${dependency.kind} uses. ${advice(dependency)}`,
  }))
}

const RECREATE = 'Create it again without the columns, or drop it'

const ADVICE: Record<string, string> = {
  view: RECREATE,
  'materialized view': RECREATE,
  rule: RECREATE,
  trigger: RECREATE,
  policy: RECREATE,
  function: 'Change its body to use the type, or drop it',
  publication: 'Set a column list and a row filter without the columns (ALTER PUBLICATION … SET TABLE)',
  'generated column': 'Compute it from other columns, or drop it',
  'column default': 'Give that column a default, or a sequence, of its own',
  'exclusion constraint': RECREATE,
  'foreign key': 'Let it reference other columns, or drop it',
}

const advice = ({ kind }: RefusingDependency): string => ADVICE[kind] ?? 'Change or drop it'

interface SharedObject {
  readonly kind: string
  readonly identity: string
  readonly columns: string[]
  readonly others: string[]
}

/**
 * Objects that PostgreSQL would silently drop although they also cover other columns, such as a partial index whose
 * condition reads a legacy column.
 */
async function readSharedObjects(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  const objects = await sql.unsafe<SharedObject[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}, owned as (
       -- The columns that a foreign key references are no automatic dependency. The index of a constraint has the columns of
       -- its condition.
       select case when k.oid is null then d.classid else 'pg_constraint'::regclass end as classid, coalesce(k.oid, d.objid) as objid,
         d.refobjid as relation, array_agg(d.refobjsubid) as numbers,
         array_agg(d.refobjsubid) filter (where k.oid is null or d.classid = 'pg_constraint'::regclass) as droppable
       from pg_depend d join tree on tree.oid = d.refobjid
       left join pg_constraint k on k.conrelid = d.refobjid and (d.classid = 'pg_constraint'::regclass and k.oid = d.objid
         or d.classid = 'pg_class'::regclass and k.conindid = d.objid and k.contype in ('p', 'u', 'x'))
       where d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0 and d.deptype = 'a'
         and case d.classid
           when 'pg_class'::regclass then (select c.relkind in ('i', 'I') and not c.relispartition from pg_class c where c.oid = d.objid)
           when 'pg_constraint'::regclass then k.conparentid = 0 and k.conislocal
           else d.classid = 'pg_statistic_ext'::regclass end
       group by 1, 2, 3
     )
     select case o.classid when 'pg_class'::regclass then 'index' when 'pg_constraint'::regclass then 'constraint' else 'statistics object' end as kind,
       (pg_identify_object(o.classid, o.objid, 0)).identity as identity, own.names as columns, own.others
     from owned o cross join lateral (
       select jsonb_agg(l.name order by a.attnum) filter (where l.number = any (o.droppable)) as names,
         jsonb_agg(a.attname order by a.attnum) filter (where l.name is null) as others
       from pg_attribute a left join legacy l on l.relation = a.attrelid and l.number = a.attnum
       where a.attrelid = o.relation and a.attnum = any (o.numbers)) own
     where own.names is not null and own.others is not null
     order by 1, 2`,
    partitionTreeParameters(legacy),
  )
  return objects.map(({ others, ...object }) => ({
    ...object,
    why: `PostgreSQL would drop it with the columns, although it also covers ${others.join(', ')}. Replace it with one that does not use them, or drop it`,
  }))
}

/** The archive identifies rows by their key: without one of its columns, no row could be restored. */
async function readKeyDependencies(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  const keyColumns = legacy.columns.filter((name) => legacy.key.includes(name))
  const partitionKeyColumns = await sql.unsafe<{ name: string }[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select distinct legacy.name from legacy join pg_partitioned_table p on p.partrelid = legacy.relation
     -- As in inspectTable: PostgreSQL makes each column of the key, also of an expression in it, depend on the table.
     where exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = legacy.relation
       and d.objsubid = legacy.number and d.refclassid = 'pg_class'::regclass and d.refobjid = legacy.relation and d.refobjsubid = 0)`,
    partitionTreeParameters(legacy),
  )
  return [
    ...keyColumns.map((name) => ({
      kind: 'key',
      identity: legacy.key.join(', '),
      columns: [name],
      why: 'Rows are identified by their key: without it, no row could be restored. Add a primary key without the column',
    })),
    ...partitionKeyColumns.map(({ name }) => ({
      kind: 'partition key',
      identity: name,
      columns: [name],
      why: 'PostgreSQL refuses to drop a column of a partition key. Derive the type from other columns',
    })),
  ]
}

/** A published table without its replica identity refuses every UPDATE and DELETE. */
async function readReplicaIdentities(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  return await sql.unsafe<BlockingDependency[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select 'replica identity' as kind, ${qualifiedNameSql('x', 'n')} as identity, jsonb_agg(distinct legacy.name) as columns,
       'It would be dropped with the column, and a published table then refuses every UPDATE and DELETE. Choose another replica identity' as why
     from legacy join pg_index i on i.indrelid = legacy.relation and i.indisreplident
     join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace
     where legacy.number = any (i.indkey::int2[])
     group by 2`,
    partitionTreeParameters(legacy),
  )
}
