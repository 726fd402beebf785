import type { Sql } from '../../database/connect.ts'
import { quoteIdentifier } from '../../rollout/identifiers.ts'
import type { LegacyColumn, LegacyRelation, LegacySequence } from './legacyCatalog.ts'
import {
  qualifiedNameSql,
  PARTITION_TREE_CTES,
  partitionTreeParameters,
  type LegacyColumnSet,
} from './partitionTreeSql.ts'

type LegacyRelationRow = Omit<LegacyRelation, 'columns'> & { readonly columns: readonly LegacyColumnRow[] }
type LegacyColumnRow = Omit<LegacyColumn, 'sql' | 'grants' | 'sequence'> & {
  readonly grants: readonly PrivilegeGrant[]
  readonly sequence: (Omit<LegacySequence, 'grants'> & { readonly grants: readonly PrivilegeGrant[] }) | null
}

interface PrivilegeGrant {
  readonly privilege: string
  readonly grantee: string
  readonly grantable: boolean
}

/** The table and its partitions, each with its own legacy columns. */
export async function readLegacyRelations(sql: Sql, legacy: LegacyColumnSet): Promise<LegacyRelation[]> {
  const rows = await sql.unsafe<LegacyRelationRow[]>(
    `with recursive /* sti */ ${PARTITION_TREE_CTES}, below (relation, number, type, modifier, constrained) as (
       select a.attrelid, a.attnum, a.atttypid, a.atttypmod, false from legacy
         join pg_attribute a on a.attrelid = legacy.relation and a.attnum = legacy.number
       union all
       select b.relation, b.number, t.typbasetype, t.typtypmod,
         b.constrained or t.typnotnull or exists (select from pg_constraint where contypid = t.oid)
       from below b join pg_type t on t.oid = b.type where t.typtype = 'd'
     )
     select c.oid::int8::float8 as oid, ${qualifiedNameSql('c', 'n')} as sql, c.relkind = 'p' as partitioned,
       (select ${qualifiedNameSql('p', 'pn')} from pg_inherits i join pg_class p on p.oid = i.inhparent
         join pg_namespace pn on pn.oid = p.relnamespace where i.inhrelid = c.oid and tree.level > 0) as parent,
       (select coalesce(jsonb_agg(${COLUMN_SQL} order by a.attnum), '[]')
         from legacy join pg_attribute a on a.attrelid = legacy.relation and a.attnum = legacy.number
         join pg_type t on t.oid = a.atttypid
         left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where legacy.relation = c.oid) as columns
     from tree join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace
     order by tree.level, n.nspname, c.relname`,
    partitionTreeParameters(legacy),
  )
  return rows.map(({ columns, ...relation }) => ({
    ...relation,
    columns: columns.map(({ grants, sequence, ...column }) => ({
      ...column,
      sql: quoteIdentifier(column.name),
      grants: grants.map((grant) =>
        grantStatement(grant, `${grant.privilege} (${quoteIdentifier(column.name)}) on ${relation.sql}`),
      ),
      sequence: sequence && {
        ...sequence,
        grants: sequence.grants.map((grant) => grantStatement(grant, `${grant.privilege} on sequence ${sequence.sql}`)),
      },
    })),
  }))
}

const grantStatement = ({ grantee, grantable }: PrivilegeGrant, what: string): string =>
  `grant ${what} to ${grantee}${grantable ? ' with grant option' : ''}`

/** The grants of an ACL, except the owner's. */
const grantsSql = (acl: string, owner: string): string => `(select coalesce(jsonb_agg(jsonb_build_object(
    'privilege', x.privilege_type, 'grantable', x.is_grantable,
    'grantee', case x.grantee when 0 then 'public' else quote_ident(r.rolname) end)
    order by r.rolname nulls first, x.privilege_type), '[]')
  from aclexplode(${acl}) x left join pg_roles r on r.oid = x.grantee where x.grantee <> ${owner})`

const SEQUENCE_SQL = `(select jsonb_build_object('sql', ${qualifiedNameSql('sc', 'sn')}, 'grants', ${grantsSql('sc.relacl', 'sc.relowner')},
    'options', format('as %s increment by %s minvalue %s maxvalue %s start with %s cache %s %s', format_type(s.seqtypid, null),
      s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, case when s.seqcycle then 'cycle' else 'no cycle' end))
  from pg_depend w join pg_class sc on sc.oid = w.objid and sc.relkind = 'S' join pg_namespace sn on sn.oid = sc.relnamespace
    join pg_sequence s on s.seqrelid = sc.oid
  where w.classid = 'pg_class'::regclass and w.refclassid = 'pg_class'::regclass and w.refobjid = a.attrelid
    and w.refobjsubid = a.attnum and w.deptype in ('a', 'i') limit 1)`

/** PostgreSQL itself numbers the versions of a column in pg_attver (seen in 15.20): a column that is added again has another. */
const OPTIONS_SQL = `(select coalesce(jsonb_agg(o.option), '[]') from unnest(a.attoptions) as o(option)
    where o.option not like 'pg\\_attver=%')`

const COLUMN_SQL = `jsonb_build_object('name', a.attname, 'position', a.attnum, 'type', format_type(a.atttypid, a.atttypmod),
    'baseType', (select format_type(b.type, b.modifier) from below b join pg_type bt on bt.oid = b.type
      where b.relation = a.attrelid and b.number = a.attnum and bt.typtype <> 'd' and b.constrained),
    'collation', case when a.attcollation <> t.typcollation then (select format('%I.%I', ln.nspname, l.collname)
      from pg_collation l join pg_namespace ln on ln.oid = l.collnamespace where l.oid = a.attcollation) end,
    'notNull', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
    'sequence', ${SEQUENCE_SQL},
    'storage', case when a.attstorage <> t.typstorage then
      case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main' end end,
    'compression', case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
    'statistics', nullif(to_jsonb(a)->>'attstattarget', '-1')::int,
    'options', ${OPTIONS_SQL},
    'comment', col_description(a.attrelid, a.attnum), 'grants', ${grantsSql('a.attacl', 'c.relowner')})`
