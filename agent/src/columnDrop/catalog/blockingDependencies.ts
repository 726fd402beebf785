import type { Sql } from '../../database/connect.ts'
import type { BlockingDependency } from './legacyCatalog.ts'
import {
  qualifiedNameSql,
  PARTITION_TREE_CTES,
  partitionTreeParameters,
  type LegacyColumnSet,
} from './partitionTreeSql.ts'

/**
 * Everything with a dependency in the catalog on the columns that is not dropped with them. PostgreSQL does not
 * record dependencies of function bodies written as text; a separate check covers those.
 */
export async function readBlockingDependencies(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  const dependencies = await sql.unsafe<BlockingDependency[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}, depending as (
       select d.classid, d.objid, d.objsubid, legacy.name
       from legacy join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = legacy.relation and d.refobjsubid = legacy.number
       where d.deptype not in ('i', 'e', 'P', 'S')
     ), shown as (
       select x.name, o.type, o.identity,
         case x.classid
           when 'pg_rewrite'::regclass then (select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'rule' end
             from pg_rewrite r join pg_class c on c.oid = r.ev_class where r.oid = x.objid)
           when 'pg_proc'::regclass then 'function'
           when 'pg_trigger'::regclass then 'trigger'
           when 'pg_policy'::regclass then 'policy'
           when 'pg_publication_rel'::regclass then 'publication'
           when 'pg_attrdef'::regclass then 'generated column'
           when 'pg_constraint'::regclass then 'foreign key'
           else o.type end as kind,
         case x.classid
           when 'pg_rewrite'::regclass then (select ${qualifiedNameSql('c', 'n')} from pg_rewrite r join pg_class c on c.oid = r.ev_class
             join pg_namespace n on n.oid = c.relnamespace where r.oid = x.objid)
           when 'pg_attrdef'::regclass then regexp_replace(o.identity, '^for ', '')
           else o.identity end as whom
       from depending x cross join lateral pg_identify_object(x.classid, x.objid, x.objsubid) o
       where case x.classid
         -- Indexes, constraints, statistics, and sequences of the columns are dropped with them and recreated by the
         -- undo.
         when 'pg_class'::regclass then (select c.relkind not in ('i', 'I', 'S') from pg_class c where c.oid = x.objid)
         when 'pg_statistic_ext'::regclass then (select stxrelid not in (select oid from tree) from pg_statistic_ext where oid = x.objid)
         when 'pg_constraint'::regclass then (select k.conrelid not in (select oid from tree) or k.contype not in ('c', 'f', 'u', 'p', 'x', 'n')
           from pg_constraint k where k.oid = x.objid)
         when 'pg_attrdef'::regclass then (select not exists (select from legacy l where l.relation = d.adrelid and l.number = d.adnum)
           from pg_attrdef d where d.oid = x.objid)
         when 'pg_trigger'::regclass then (select t.tgname not like '~sti\\_%' from pg_trigger t where t.oid = x.objid)
         else true end
     )
     select kind, whom as identity, jsonb_agg(distinct name) as columns,
       format('PostgreSQL refuses to drop a column that %s %s uses', case when kind ~ '^[aeiou]' then 'an' else 'a' end, kind) as why
     from shown group by kind, whom order by kind, whom`,
    partitionTreeParameters(legacy),
  )
  return [...dependencies, ...(await readKeyDependencies(sql, legacy)), ...(await readReplicaIdentities(sql, legacy))]
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
      why: 'Rows are identified by their key: without it, no row could be restored',
    })),
    ...partitionKeyColumns.map(({ name }) => ({
      kind: 'partition key',
      identity: name,
      columns: [name],
      why: 'PostgreSQL refuses to drop a column of a partition key',
    })),
  ]
}

/** A published table without its replica identity refuses every UPDATE and DELETE. */
async function readReplicaIdentities(sql: Sql, legacy: LegacyColumnSet): Promise<BlockingDependency[]> {
  return await sql.unsafe<BlockingDependency[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select 'replica identity' as kind, ${qualifiedNameSql('x', 'n')} as identity, jsonb_agg(distinct legacy.name) as columns,
       'It would be dropped with the column, and a published table then refuses every UPDATE and DELETE: choose another replica identity' as why
     from legacy join pg_index i on i.indrelid = legacy.relation and i.indisreplident
     join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace
     where legacy.number = any (i.indkey::int2[])
     group by 2`,
    partitionTreeParameters(legacy),
  )
}
