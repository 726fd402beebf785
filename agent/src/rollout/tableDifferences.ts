import type { Sql } from '../database/connect.ts'
import { formatCount, formatNames } from '../format/format.ts'
import { parseName, quoteLiteral, type QualifiedName } from './identifiers.ts'
import type { RolloutGroup } from './rolloutGroup.ts'

/** What matters of one table, as texts: the same texts in two tables mean that they need the same. */
export interface TableShape {
  readonly table: QualifiedName
  /** Such as `column is_truck` and `boolean not null`. What a table does not have is missing. */
  readonly facets: Readonly<Record<string, string>>
  /** Rows as estimated by PostgreSQL; null: it was never analyzed. */
  readonly estimatedRows: number | null
}

/** Tables in which something that matters is not as in most tables. */
export interface TableDifference {
  /** Such as `column is_truck`. */
  readonly facet: string
  /** As in these tables, and as in most; null: they do not have it. */
  readonly here: string | null
  readonly elsewhere: string | null
  readonly tables: readonly QualifiedName[]
}

/** A role of each tenant, such as tenant_7_app, is the same role everywhere: its schema's name is left out. */
const ownRole = (role: string): string =>
  `trim(both '_' from replace('_' || (${role})::text || '_', '_' || schema || '_', '_*_'))`

/**
 * Reads what matters of every table in one query: columns of the file, key, triggers, rules, an
 * existing discriminator, owner, privileges, policies, publications.
 */
export async function readTableShapes(
  sql: Sql,
  { file }: Pick<RolloutGroup, 'file'>,
  tables: readonly QualifiedName[],
): Promise<TableShape[]> {
  if (tables.length === 0) return []
  const columns = [...file.legacyColumns, ...file.permanentColumns, file.discriminator.column].map(parseName)
  const names = JSON.stringify(tables.map((table) => table.sql))
  // One subquery for each table and catalog, each by an index: a join of the lists would compare every table with every other.
  const rows = await sql.unsafe<{ position: number; facets: Record<string, string>; rows: number }[]>(
    `select /* sti */ named.position::int - 1 as position, c.reltuples::float8 as rows,
      jsonb_build_object('the kind of table', case c.relkind when 'p' then 'partitioned' else 'an ordinary table' end)
      || coalesce((select jsonb_object_agg('column ' || quote_ident(a.attname),
            replace(format_type(a.atttypid, a.atttypmod), prefix, '')
              || coalesce((select ' (' || string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) || ')'
                  from pg_enum where enumtypid = a.atttypid), '')
              || case when a.attnotnull then ' not null' else '' end
              || case when a.attgenerated <> '' then ' generated' else '' end)
          from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and a.attname = any (array[${columns.map(quoteLiteral).join(', ')}]::name[])), '{}')
      || coalesce((select jsonb_build_object('the primary key',
            string_agg(quote_ident(a.attname) || ' ' || replace(format_type(a.atttypid, a.atttypmod), prefix, ''), ', ' order by k.n))
          from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, n)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
          where i.indrelid = c.oid and i.indisprimary having count(*) > 0), '{}')
      || coalesce((select jsonb_object_agg('trigger ' || quote_ident(t.tgname), replace(pg_get_triggerdef(t.oid), prefix, '')
            || case t.tgenabled when 'O' then '' when 'D' then ' (disabled)' else ' (enabled ' || t.tgenabled::text || ')' end
            || ' [function ' || left(md5(f.prosrc), 8) || ']')
          from pg_trigger t join pg_proc f on f.oid = t.tgfoid
          where t.tgrelid = c.oid and not t.tgisinternal and not starts_with(t.tgname, '~sti_')), '{}')
      || coalesce((select jsonb_object_agg('rule ' || quote_ident(r.rulename), replace(pg_get_ruledef(r.oid), prefix, ''))
          from pg_rewrite r where r.ev_class = c.oid and r.ev_type = '2'), '{}')
      || jsonb_build_object('the owner', case when pg_has_role(c.relowner, 'USAGE') then 'a role of the agent' else
            'role ' || ${ownRole(`pg_get_userbyid(c.relowner)`)} || ', of which the agent is no member' end)
      || jsonb_build_object('the privileges of the agent', (select coalesce(string_agg(privilege, ', ' order by n), 'none')
          from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER']) with ordinality p (privilege, n)
          where has_table_privilege(c.oid, privilege)))
      || coalesce((select jsonb_build_object('the privileges on columns', string_agg(grants, '; ' order by grants)) from (
            select quote_ident(a.attname) || ': ' || string_agg(g.privilege_type || ' to ' || ${ownRole(`case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end`)}, ', '
              order by g.privilege_type, g.grantee) as grants
            from pg_attribute a cross join lateral aclexplode(a.attacl) g
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped group by a.attname) g having count(*) > 0), '{}')
      || case when c.relrowsecurity then jsonb_build_object('row-level security',
            case when c.relforcerowsecurity then 'on, and forced on the owner' else 'on' end) else '{}' end
      || coalesce((select jsonb_object_agg('policy ' || quote_ident(p.polname), concat_ws(' ',
            case when p.polpermissive then 'permissive' else 'restrictive' end, 'for ' || p.polcmd::text,
            'to ' || (select string_agg(${ownRole(`case r when 0 then 'public' else pg_get_userbyid(r) end`)}, ', ' order by r) from unnest(p.polroles) r),
            'using ' || replace(pg_get_expr(p.polqual, c.oid), prefix, ''),
            'with check ' || replace(pg_get_expr(p.polwithcheck, c.oid), prefix, '')))
          from pg_policy p where p.polrelid = c.oid), '{}')
      || coalesce((select jsonb_build_object('publications', string_agg(quote_ident(p.pubname), ', ' order by p.pubname))
          from pg_publication p where p.puballtables
            or exists (select from pg_publication_rel r where r.prpubid = p.oid and r.prrelid = c.oid and r.prattrs is null)
            or exists (select from pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = c.relnamespace)
          having count(*) > 0), '{}') as facets
    from jsonb_array_elements_text(${quoteLiteral(names)}::jsonb) with ordinality named (name, position)
    join pg_class c on c.oid = to_regclass(named.name)
    cross join lateral (select quote_ident(nspname) || '.', nspname::text from pg_namespace where oid = c.relnamespace) n (prefix, schema)
    order by named.position`,
  )
  return rows.map(({ position, facets, rows: estimated }) => ({
    table: tables[position]!,
    facets,
    estimatedRows: estimated < 0 ? null : estimated,
  }))
}

/** Tables that need the same, most tables first; the first table of each group is its largest. */
export function groupByShape(shapes: readonly TableShape[]): TableShape[][] {
  const groups = new Map<string, TableShape[]>()
  for (const shape of shapes) {
    const key = JSON.stringify(Object.entries(shape.facets).sort(([a], [b]) => (a < b ? -1 : 1)))
    groups.set(key, [...(groups.get(key) ?? []), shape])
  }
  return [...groups.values()]
    .map((group) => group.toSorted((a, b) => (b.estimatedRows ?? 0) - (a.estimatedRows ?? 0)))
    .sort((a, b) => b.length - a.length)
}

/** What differs, by what differs: never one entry for each table. */
export function findDifferences(shapes: readonly TableShape[]): TableDifference[] {
  const facets = [...new Set(shapes.flatMap((shape) => Object.keys(shape.facets)))].sort()
  return facets.flatMap((facet) => {
    const byValue = new Map<string | null, QualifiedName[]>()
    for (const { table, facets: own } of shapes) {
      const value = own[facet] ?? null
      const tables = byValue.get(value)
      if (tables) tables.push(table)
      else byValue.set(value, [table])
    }
    const [usual, ...others] = [...byValue].sort(([, a], [, b]) => b.length - a.length)
    return others.map(([here, tables]) => ({ facet, here, elsewhere: usual![0], tables }))
  })
}

/** Such as “In 2 of 1,000 tables, column is_truck is text; in most it is boolean not null: tenant_7, tenant_9.” */
export function describeDifference({ facet, here, elsewhere, tables }: TableDifference, total: number): string {
  const what =
    here === null
      ? `${facet} does not exist; in most it is ${elsewhere}`
      : elsewhere === null
        ? `${facet} is ${here}; in most it does not exist`
        : `${facet} is ${here}; in most it is ${elsewhere}`
  return `In ${formatCount(tables.length)} of ${formatCount(total)} tables, ${what}: ${listTables(tables)}.`
}

/** The schemas of some tables, and how many more there are. */
export const listTables = (tables: readonly Pick<QualifiedName, 'schema'>[]): string =>
  formatNames(tables.map(({ schema }) => schema))
