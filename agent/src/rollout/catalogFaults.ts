import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from './rollout.ts'

interface TableCatalogRow {
  readonly owners: readonly { name: string; superuser: boolean }[] | null
  readonly role: string
  readonly forcedPolicy: boolean
  readonly foreign: readonly string[] | null
  readonly partitionKey: readonly string[] | null
  readonly publications: readonly { name: string; everything: boolean; tables: string[] }[] | null
  readonly plainStrings: boolean
}

/** Whether the agent may change the table, and whether anything beside it would break when it gets a column. */
export async function catalogFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { sql: name } = rollout.table
  const catalog = await readTableCatalog(sql, table.oid)
  const faults: string[] = []
  if (catalog.owners) {
    const ordinaryOwners = catalog.owners.filter((owner) => !owner.superuser).map((owner) => owner.name)
    const grantAdvice = ordinaryOwners.length > 0 ? `, or GRANT ${ordinaryOwners.join(', ')} TO ${catalog.role}` : ''
    faults.push(
      `The role ${catalog.role} does not own ${name} with all its partitions: ALTER TABLE … OWNER TO ${catalog.role}${grantAdvice}.`,
    )
  }
  if (catalog.forcedPolicy) {
    faults.push(
      `${name} forces row level security on its owner, which would hide rows from the agent: ALTER ROLE ${catalog.role} BYPASSRLS.`,
    )
  }
  if (catalog.foreign) {
    faults.push(
      `Partitions of ${name} are foreign tables (${catalog.foreign.join(', ')}): detach them, and run an agent where they are.`,
    )
  }
  const partitionKeyColumns = (catalog.partitionKey ?? []).filter(
    (c) => c === rollout.discriminator.column || rollout.legacyColumns.includes(c),
  )
  if (partitionKeyColumns.length > 0) {
    faults.push(
      `${partitionKeyColumns.join(', ')} is in the partition key of ${name}, where a restored value would move rows between partitions and the column could never be dropped: derive the type from other columns.`,
    )
  }
  if (rollout.file.publication === 'none') faults.push(...publicationFaults(rollout, catalog))
  if (!catalog.plainStrings) {
    faults.push(
      'standard_conforming_strings is off, so that a backslash in a constant means something else here: ALTER ROLE or DATABASE … SET standard_conforming_strings = on.',
    )
  }
  return faults
}

function publicationFaults(rollout: Rollout, { publications }: TableCatalogRow): string[] {
  return (publications ?? []).map(({ name, everything, tables }) => {
    const shown = tables.length > 10 ? [...tables.slice(0, 10), `${tables.length - 10} more`] : tables
    return (
      `Publication ${name} ${everything ? '(FOR ALL TABLES, so also the tables of schema sti) ' : ''}sends ${rollout.table.sql} to subscribers, ` +
      `which stop at a column they do not know (it publishes ${shown.join(', ')}): add ${rollout.discriminator.column} to the subscribers' table first` +
      `${everything ? ', create the tables of schema sti there,' : ''} and then write publication: subscriber-ready (${rollout.locate(['publication'])}).`
    )
  })
}

async function readTableCatalog(sql: Sql, oid: number): Promise<TableCatalogRow> {
  const [row] = await sql<TableCatalogRow[]>`
    with /* sti */ tree as materialized (
      select ${oid}::oid as oid union select relid from pg_catalog.pg_partition_tree(${oid}::oid::regclass)
    ), relation as materialized (
      select c.*, format('%I.%I', n.nspname, c.relname) as shown
      from tree join pg_catalog.pg_class c on c.oid = tree.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    )
    select
      quote_ident(current_user) as role,
      (select jsonb_agg(distinct jsonb_build_object('name', quote_ident(o.rolname), 'superuser', o.rolsuper))
        from relation r join pg_catalog.pg_roles o on o.oid = r.relowner
        where not pg_catalog.pg_has_role(o.oid, 'USAGE')) as owners,
      (select bool_or(relrowsecurity and relforcerowsecurity) from relation)
        and not (select rolsuper or rolbypassrls from pg_catalog.pg_roles where rolname = current_user) as "forcedPolicy",
      (select jsonb_agg(shown order by shown) from relation where relkind = 'f') as foreign,
      (select jsonb_agg(distinct a.attname) from relation r
        join pg_catalog.pg_partitioned_table p on p.partrelid = r.oid
        join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0
        where a.attnum = any (p.partattrs::int2[]) or exists (select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = r.oid and d.objsubid = 0
            and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = r.oid and d.refobjsubid = a.attnum)
      ) as "partitionKey",
      -- With a column list a publication sends no new column.
      (select jsonb_agg(jsonb_build_object('name', p.pubname, 'everything', p.puballtables, 'tables', (
          select coalesce(jsonb_agg(format('%I.%I', t.schemaname, t.tablename) order by t.schemaname, t.tablename), '[]')
          from pg_catalog.pg_publication_tables t where t.pubname = p.pubname)) order by p.pubname)
        from pg_catalog.pg_publication p
        where p.puballtables
          or exists (select from pg_catalog.pg_publication_rel r join tree on tree.oid = r.prrelid
            where r.prpubid = p.oid and r.prattrs is null)
          or exists (select from pg_catalog.pg_publication_namespace s join relation r on r.relnamespace = s.pnnspid
            where s.pnpubid = p.oid)
      ) as publications,
      current_setting('standard_conforming_strings') = 'on' as "plainStrings"`
  return row!
}
