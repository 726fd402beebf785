import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { quoteIdentifier } from './identifiers.ts'
import type { Table } from './rollout.ts'

/** A foreign key of the table, of one of its partitions, or of another table that references one of them. */
export interface ForeignKey {
  /** Its name and table, such as `trip_vehicle_id_fkey on public.trip`. */
  readonly name: string
  readonly parent: string
  /** False: PostgreSQL does not check it (NOT ENFORCED, PostgreSQL 18). */
  readonly enforced: boolean
  /** The statements after which this role can read every row of both sides; null: it can. */
  readonly unreadable: string | null
  /** `operator`: of the key, such as `operator(pg_catalog.=)`, with the referenced column on its left. */
  readonly columns: readonly { readonly own: string; readonly other: string; readonly operator: string }[]
  /** The relations that contain the referencing rows. */
  readonly children: readonly { readonly sql: string; readonly blocks: number }[]
}

interface OrphanRows {
  readonly rows: number
  /** The referencing columns of some of them. */
  readonly keys: readonly (readonly string[])[]
}

/** About 64 MiB, so that each snapshot is short. */
const BLOCKS_PER_QUERY = 8_192
const MAX_SAMPLE_KEYS = 10

/**
 * The foreign keys from and to the table and its partitions, by name. A foreign key over periods (PostgreSQL 18) has
 * operators of its own and is left out.
 */
export async function readForeignKeys(sql: Sql, table: Pick<Table, 'oid'>): Promise<ForeignKey[]> {
  return [
    ...(await sql<ForeignKey[]>`
    with /* sti */ tree as materialized (
      select ${table.oid}::oid as oid union select relid from pg_catalog.pg_partition_tree(${table.oid}::oid::regclass)
    ), side as (
      select c.oid as constraint, r.oid as relation, pg_catalog.format('%I.%I', n.nspname, r.relname) as name,
        pg_catalog.quote_ident(n.nspname) as schema, pg_catalog.has_schema_privilege(n.oid, 'USAGE') as schema_usable,
        pg_catalog.has_table_privilege(r.oid, 'SELECT') as selectable,
        pg_catalog.row_security_active(r.oid) as filtered
      from pg_catalog.pg_constraint c join pg_catalog.pg_class r on r.oid in (c.conrelid, c.confrelid)
      join pg_catalog.pg_namespace n on n.oid = r.relnamespace
      where c.contype = 'f' and c.conparentid = 0
        and (c.conrelid in (select oid from tree) or c.confrelid in (select oid from tree))
    )
    select pg_catalog.quote_ident(c.conname) || ' on ' || c.conrelid::regclass::text as name,
      case p.relkind when 'r' then 'only ' else '' end || (select name from side where side.constraint = c.oid and side.relation = c.confrelid) as parent,
      coalesce((pg_catalog.to_jsonb(c)->>'conenforced')::boolean, true) as enforced,
      (select pg_catalog.string_agg(case
          when not schema_usable then pg_catalog.format('GRANT USAGE ON SCHEMA %s TO %I', schema, current_user)
            || case when selectable then '' else pg_catalog.format('; GRANT SELECT ON %s TO %I', name, current_user) end
          when not selectable then pg_catalog.format('GRANT SELECT ON %s TO %I', name, current_user)
          else pg_catalog.format('ALTER ROLE %I BYPASSRLS', current_user) end, '; ' order by name)
        from side where side.constraint = c.oid and (not schema_usable or not selectable or filtered)) as unreadable,
      (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('own', a.attname, 'other', b.attname,
          'operator', (select pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname) from pg_catalog.pg_operator o
            join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where o.oid = k.operator)) order by k.place)
        from unnest(c.conkey, c.confkey, c.conpfeqop) with ordinality as k (own, other, operator, place)
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.own
        join pg_catalog.pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.other) as columns,
      (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('sql', pg_catalog.format('%I.%I', n.nspname, r.relname),
          'blocks', pg_catalog.pg_relation_size(r.oid) / current_setting('block_size')::int)), '[]')
        from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace where r.relkind = 'r'
          and (r.oid = c.conrelid or r.oid in (select relid from pg_catalog.pg_partition_tree(c.conrelid)))) as children
    from pg_catalog.pg_constraint c join pg_catalog.pg_class p on p.oid = c.confrelid
    where c.oid in (select side.constraint from side) and not coalesce((pg_catalog.to_jsonb(c)->>'conperiod')::boolean, false)
    order by 1`),
  ]
}

/** Counts the rows that reference a missing row, in slices with short snapshots. Null: `goOn` returned false. */
export async function countOrphans(sql: Sql, key: ForeignKey, goOn: () => boolean): Promise<OrphanRows | null> {
  const keys: (readonly string[])[] = []
  let rows = 0
  for (const child of key.children) {
    for (let low = 0; low < child.blocks; low += BLOCKS_PER_QUERY) {
      if (!goOn()) return null
      const slice = onlyRow(
        await sql.unsafe<{ rows: number; keys: (readonly string[])[] }[]>(
          orphanSql(key, child.sql),
          [`(${low},0)`, `(${low + BLOCKS_PER_QUERY},0)`],
          { prepare: true },
        ),
      )
      rows += slice.rows
      keys.push(...slice.keys.slice(0, MAX_SAMPLE_KEYS - keys.length))
    }
  }
  return { rows, keys }
}

/** The query that finds the orphans among the rows of a relation. */
export function orphanSql(key: ForeignKey, child: string): string {
  const notNullCondition = key.columns.map(({ own }) => `c.${quoteIdentifier(own)} is not null`).join(' and ')
  const matchCondition = key.columns
    .map(({ own, other, operator }) => `p.${quoteIdentifier(other)} ${operator} c.${quoteIdentifier(own)}`)
    .join(' and ')
  const keyExpressions = key.columns.map(({ own }) => `c.${quoteIdentifier(own)}::text`).join(', ')
  return `with /* sti */ orphan as materialized (select jsonb_build_array(${keyExpressions}) as key from only ${child} as c
      where c.ctid >= $1::text::tid and c.ctid < $2::text::tid and ${notNullCondition} and not exists (select from ${key.parent} as p where ${matchCondition}))
    select count(*)::int as rows, coalesce((select jsonb_agg(key) from (select key from orphan limit ${MAX_SAMPLE_KEYS}) s), '[]') as keys from orphan`
}
