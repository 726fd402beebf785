import type { Sql } from '../database/connect.ts'

/**
 * Columns of other tables, and of the table itself, that hold rows of the table: directly, in an array, in a domain or in
 * another composite type. PostgreSQL then refuses to rewrite the table, and to add a column with a default
 * (`cannot alter table … because column … uses its row type`).
 */
export async function readRowTypeUses(sql: Sql, oid: number): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    with recursive /* sti */ holding (type) as (
      select c.reltype from pg_catalog.pg_class c
      where c.oid = ${oid}::oid or c.oid in (select relid from pg_catalog.pg_partition_tree(${oid}::oid::regclass))
      union
      select t.oid from holding h join pg_catalog.pg_type t on t.typbasetype = h.type or (t.typelem = h.type and t.typlen = -1)
        or exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind = 'c'
          where c.oid = t.typrelid and a.atttypid = h.type and not a.attisdropped)
    )
    select distinct pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname) as name
    from holding h join pg_catalog.pg_attribute a on a.atttypid = h.type and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'm', 'p')
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    order by 1`
  return rows.map(({ name }) => name)
}
