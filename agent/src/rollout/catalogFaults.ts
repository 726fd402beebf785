import { citusFaults, type ShardedRollout } from '../citus/citusFaults.ts'
import type { Sql } from '../database/connect.ts'
import { citusTableNames } from './inspectTable.ts'
import type { Rollout, Table } from './rollout.ts'
import { dependsOnSession } from './sessionDependence.ts'

interface TableCatalogRow {
  readonly owners: readonly { name: string; superuser: boolean }[] | null
  readonly role: string
  readonly forcedPolicy: boolean
  readonly foreign: readonly string[] | null
  readonly publications: readonly { name: string; everything: boolean; tables: string[] }[] | null
  readonly plainStrings: boolean
  readonly encoding: string
}

/** Faults of the agent's privileges on the table, and of objects that would break when the table gets a column. */
export async function catalogFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { sql: name } = rollout.table
  const catalog = await readTableCatalog(sql, table.oid)
  const faults: string[] =
    table.citus === null ? [] : citusFaults(table.citus, shardedRollout(rollout, table), citusTableNames(rollout.table))
  if (catalog.encoding !== 'UTF8') {
    faults.push(
      `The encoding of the database is ${catalog.encoding}, so it cannot store every text of the agent, and the agent cannot read every text of it. Create a database with the encoding UTF8, load a dump of this one into it, and run the rollout there.`,
    )
  }
  if (catalog.owners) {
    const ordinaryOwners = catalog.owners.filter((owner) => !owner.superuser).map((owner) => owner.name)
    const grantAdvice = ordinaryOwners.length > 0 ? `, or GRANT ${ordinaryOwners.join(', ')} TO ${catalog.role}` : ''
    faults.push(
      `Role ${catalog.role} does not own ${name} and all its partitions. Run ALTER TABLE … OWNER TO ${catalog.role}${grantAdvice}.`,
    )
  }
  if (catalog.forcedPolicy) {
    faults.push(
      `${name} forces row-level security on its owner, which would hide rows from the agent. Run ALTER ROLE ${catalog.role} BYPASSRLS.`,
    )
  }
  if (catalog.foreign) {
    faults.push(
      `Partitions of ${name} are foreign tables (${catalog.foreign.join(', ')}). Detach them, and run an agent on their own server.`,
    )
  }
  const partitionKeyColumns = table.partitionKey.filter(
    (c) => c === rollout.discriminator.column || rollout.legacyColumns.includes(c),
  )
  if (partitionKeyColumns.length > 0) {
    faults.push(
      `${partitionKeyColumns.join(', ')} is in the partition key of ${name}. A restored value would move rows between partitions, and the column could never be dropped. Derive the type from other columns.`,
    )
  }
  if (rollout.file.publication === 'none') faults.push(...publicationFaults(rollout, catalog))
  if (!catalog.plainStrings) {
    faults.push(
      'standard_conforming_strings is off, which changes the meaning of a backslash in a constant. Run ALTER ROLE or ALTER DATABASE … SET standard_conforming_strings = on.',
    )
  }
  return faults
}

function shardedRollout(rollout: Rollout, table: Table): ShardedRollout {
  return {
    name: rollout.name,
    partitioned: table.partitioned,
    storage: table.citus?.storage ?? null,
    usesTrigger: rollout.file.dualWrite === 'trigger',
    usesPrefill: rollout.file.prefill === 'majority',
    mayBeUnmapped: rollout.mayBeUnmapped,
    dependsOnSession: dependsOnSession(rollout, table),
    legacyColumns: rollout.legacyColumns,
    // The triggers of the column drop's archive belong to the rollout, too.
    rowTriggers: table.triggers
      .filter(({ name, forEachRow, ours, internal }) => forEachRow && !ours && !internal && !name.startsWith('~sti_'))
      .map(({ name }) => name),
  }
}

function publicationFaults(rollout: Rollout, { publications }: TableCatalogRow): string[] {
  return (publications ?? []).map(({ name, everything, tables }) => {
    const shown = tables.length > 10 ? [...tables.slice(0, 10), `${tables.length - 10} more`] : tables
    return (
      `Publication ${name} ${everything ? '(FOR ALL TABLES, so including schema sti) ' : ''}sends ${rollout.table.sql} to subscribers, ` +
      `where replication stops at an unknown column (it publishes ${shown.join(', ')}). Add ${rollout.discriminator.column} to the subscribers' table` +
      `${everything ? ', create the tables of schema sti there,' : ''} and then set publication: subscriber-ready (${rollout.locate(['publication'])}).`
    )
  })
}

/** Owners, policies, and publications of a table and its partitions; null where there are none. */
export async function readTableCatalog(sql: Sql, oid: number): Promise<TableCatalogRow> {
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
      -- A publication with a column list does not send new columns.
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
      -- The default of the role and the database, not what this session has set.
      (select reset_val = 'on' from pg_catalog.pg_settings where name = 'standard_conforming_strings') as "plainStrings",
      (select pg_catalog.pg_encoding_to_char(d.encoding)::text from pg_catalog.pg_database d
        where d.datname = current_database()) as "encoding"`
  return row!
}
