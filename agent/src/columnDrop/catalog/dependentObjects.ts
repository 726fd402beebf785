import type { Sql } from '../../database/connect.ts'
import type { LegacyConstraint, LegacyIndex, LegacyStatistics } from './legacyCatalog.ts'
import {
  qualifiedNameSql,
  PARTITION_TREE_CTES,
  partitionTreeParameters,
  type LegacyColumnSet,
} from './partitionTreeSql.ts'

/** Condition for the objects that PostgreSQL drops with a column because they depend on it automatically. */
const dependsOnLegacyColumnSql = (classId: string, oid: string): string => `exists (select from pg_depend d
    join legacy on legacy.relation = d.refobjid and legacy.number = d.refobjsubid
    where d.classid = '${classId}'::regclass and d.objid = ${oid} and d.refclassid = 'pg_class'::regclass)`

/**
 * Indexes that cover a legacy column, also in an expression or predicate, except those of constraints. Children
 * first.
 */
export async function readIndexes(sql: Sql, legacy: LegacyColumnSet): Promise<LegacyIndex[]> {
  const rows = await sql.unsafe<LegacyIndex[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select x.relname as name, ${qualifiedNameSql('x', 'xn')} as sql, ${qualifiedNameSql('c', 'n')} as on, pg_get_indexdef(x.oid) as definition,
       i.indisvalid as valid, quote_ident(s.spcname) as tablespace, i.indisclustered as clustered,
       obj_description(x.oid, 'pg_class') as comment,
       (select coalesce(jsonb_agg(jsonb_build_object('column', a.attnum, 'target', t.target::int) order by a.attnum), '[]')
         from pg_attribute a, lateral (select nullif(to_jsonb(a)->>'attstattarget', '-1') as target) t
         where a.attrelid = x.oid and t.target is not null) as statistics
     from tree join pg_index i on i.indrelid = tree.oid
     join pg_class x on x.oid = i.indexrelid join pg_namespace xn on xn.oid = x.relnamespace
     join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
     left join pg_tablespace s on s.oid = x.reltablespace
     where ${dependsOnLegacyColumnSql('pg_class', 'x.oid')}
       and not exists (select from pg_constraint k where k.conindid = x.oid and k.contype in ('p', 'u', 'x') and k.conrelid = i.indrelid)
     order by tree.level desc, c.relname, x.oid`,
    partitionTreeParameters(legacy),
  )
  return rows.map((row) => ({ ...row, definition: withoutOnly(row.definition) }))
}

/**
 * Without ONLY, creating the index of a partitioned table attaches those of its partitions and creates missing ones.
 */
function withoutOnly(definition: string): string {
  return definition.replace(/^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")+"|[^ "]+)) ON ONLY /, '$1 ON ')
}

const CONSTRAINT_KINDS: Record<string, LegacyConstraint['kind']> = {
  c: 'check',
  f: 'foreign key',
  u: 'unique',
  p: 'primary key',
  x: 'exclusion',
  n: 'not null',
}

/** Constraints that cover a legacy column, including those of single partitions. Children first. */
export async function readConstraints(sql: Sql, legacy: LegacyColumnSet): Promise<LegacyConstraint[]> {
  const rows = await sql.unsafe<(Omit<LegacyConstraint, 'kind'> & { kind: string })[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select k.conname as name, ${qualifiedNameSql('c', 'n')} as on, k.contype::text as kind, pg_get_constraintdef(k.oid) as definition,
       obj_description(k.oid, 'pg_constraint') as comment,
       case when k.contype in ('p', 'u', 'x') then jsonb_build_object('sql', ${qualifiedNameSql('x', 'xn')}, 'options', coalesce(to_jsonb(x.reloptions), '[]'),
         'tablespace', (select quote_ident(spcname) from pg_tablespace s where s.oid = x.reltablespace),
         'clustered', i.indisclustered) end as index
     from tree join pg_constraint k on k.conrelid = tree.oid
     join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     left join pg_class x on x.oid = k.conindid left join pg_namespace xn on xn.oid = x.relnamespace
     left join pg_index i on i.indexrelid = x.oid
     where k.contype in ('c', 'f', 'u', 'p', 'x', 'n')
       and (${dependsOnLegacyColumnSql('pg_constraint', 'k.oid')} or exists (select from legacy where legacy.relation = k.conrelid and legacy.number = any (k.conkey)))
       -- What a partition has from its parent comes with the parent's; an index below has a name of its own.
       and (k.conislocal or k.contype in ('u', 'p', 'x') or (k.contype = 'n' and not exists (
         select from pg_inherits i join pg_constraint p on p.conrelid = i.inhparent
         where i.inhrelid = k.conrelid and p.contype = 'n' and p.conname = k.conname)))
       and (k.conparentid = 0 or k.contype in ('u', 'p', 'x'))
     order by tree.level desc, c.relname, k.contype = 'f', k.oid`,
    partitionTreeParameters(legacy),
  )
  return rows.map((row) => ({ ...row, kind: CONSTRAINT_KINDS[row.kind]! }))
}

export async function readStatistics(sql: Sql, legacy: LegacyColumnSet): Promise<LegacyStatistics[]> {
  return await sql.unsafe<LegacyStatistics[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select s.stxname as name, format('%I.%I', sn.nspname, s.stxname) as sql, ${qualifiedNameSql('c', 'n')} as on,
       pg_get_statisticsobjdef(s.oid) as definition, nullif(to_jsonb(s)->>'stxstattarget', '-1')::int as target,
       obj_description(s.oid, 'pg_statistic_ext') as comment
     from tree join pg_statistic_ext s on s.stxrelid = tree.oid join pg_namespace sn on sn.oid = s.stxnamespace
     join pg_class c on c.oid = s.stxrelid join pg_namespace n on n.oid = c.relnamespace
     where ${dependsOnLegacyColumnSql('pg_statistic_ext', 's.oid')}
     order by c.relname, s.oid`,
    partitionTreeParameters(legacy),
  )
}

/** Dropping a foreign key also drops its triggers on the referenced table, which it locks. */
export async function readReferencedTables(sql: Sql, legacy: LegacyColumnSet): Promise<string[]> {
  const rows = await sql.unsafe<{ sql: string }[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select distinct ${qualifiedNameSql('c', 'n')} as sql from legacy
     join pg_constraint k on k.conrelid = legacy.relation and legacy.number = any (k.conkey) and k.contype = 'f'
     join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where k.confrelid not in (select oid from tree)
     order by 1`,
    partitionTreeParameters(legacy),
  )
  return rows.map((row) => row.sql)
}

export async function isPublished(sql: Sql, legacy: LegacyColumnSet): Promise<boolean> {
  const [row] = await sql.unsafe<{ published: boolean }[]>(
    `with /* sti */ ${PARTITION_TREE_CTES}
     select exists (select from pg_publication_tables p join tree on tree.oid = to_regclass(format('%I.%I', p.schemaname, p.tablename)))
       and exists (select from legacy) as published`,
    partitionTreeParameters(legacy),
  )
  return row!.published
}
