import { readdir, readFile } from 'node:fs/promises'
import type { Database, Sql } from './connect.ts'

const MIGRATIONS_FOLDER = new URL('./migrations/', import.meta.url)
/** An arbitrary number. The lock serializes agents that start at the same time. */
const MIGRATION_LOCK_KEY = 7_183_405_112

/** The agent must not create or change schema `sti` in this database. The message says why and what to do. */
export class MigrationRefusedError extends Error {
  readonly code = 'migration-refused'
}

/** The first line of a migration that agents of the version before it can work with. */
const COMPATIBLE_MARK = '-- compatible'

interface Migration {
  readonly number: number
  /** The file's name. */
  readonly name: string
}

/**
 * Creates schema `sti` or brings it up to date, under a lock, with one transaction per numbered file.
 * @throws MigrationRefusedError for a schema of an earlier development version, and if a FOR ALL TABLES publication
 *   would replicate the new tables to subscribers that do not have them. Nothing is written then.
 */
export async function migrate(database: Database, subscriberReady: boolean): Promise<void> {
  const sql = database.engine({ purpose: 'migrate', lockTimeoutMs: 5_000, statementTimeoutMs: 60_000 })
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK_KEY})`
    // Where Citus distributes new schemas, the tables of schema `sti` would be on a worker. Without Citus: no such setting.
    await sql`select set_config('citus.enable_schema_based_sharding', 'off', false)
      where current_setting('citus.enable_schema_based_sharding', true) is not null`
    const migrations = await listMigrations()
    const schemaExists = await requireOwnSchema(sql)
    const applied = await readAppliedMigrations(sql)
    if (applied === null) {
      if (!subscriberReady) await refuseUnannouncedTables(sql)
      // Without "if not exists": a schema that another role creates in this moment must not be taken for ours.
      await sql.unsafe(`begin; ${schemaExists ? '' : 'create schema sti;'}
        create table sti.migration (number integer primary key, name text not null,
          applied_at timestamptz not null default clock_timestamp(), compatible boolean not null default false);
        commit`)
    } else refuseDevelopmentSchema(migrations, applied)
    for (const { number, name } of migrations) {
      if (applied?.some((done) => done.number === number)) continue
      const text = await readFile(new URL(name, MIGRATIONS_FOLDER), 'utf8')
      await sql.unsafe(
        `begin; ${text}; insert into sti.migration (number, name, compatible) values (${number}, '${name}', ${text.startsWith(COMPATIBLE_MARK)}); commit`,
      )
    }
  } finally {
    await sql.end({ timeout: 2 })
  }
}

/**
 * Why this version cannot work with the schema that a newer one has changed; null: it can. During an upgrade, agents of two
 * versions use one database, so a compatible migration is no reason.
 */
export async function findNewerVersion(sql: Sql): Promise<string | null> {
  const newest = (await listMigrations()).at(-1)!.number
  const [newer] = await sql<{ name: string }[]>`
    select /* sti */ name from sti.migration where number > ${newest} and not compatible order by number limit 1`
  return newer === undefined
    ? null
    : `A newer version of the agent changed schema sti (migration ${newer.name}), and this version cannot work with it: upgrade this agent.`
}

/**
 * Returns if schema `sti` exists. What another role owns there it can change at any time, and with it what the agent runs.
 * @throws MigrationRefusedError if the schema or an object in it belongs to another role, or if it has objects that no
 *   agent created
 */
async function requireOwnSchema(sql: Sql): Promise<boolean> {
  const [schema] = await sql<{ role: string; owner: string; own: boolean; foreign: string[]; objects: string[] }[]>`
    with object as (
      select 'pg_class'::regclass::oid as class, oid, relowner as owner from pg_class
        where relnamespace = to_regnamespace('sti') and relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
      union all
      select 'pg_proc'::regclass, oid, proowner from pg_proc where pronamespace = to_regnamespace('sti')
      union all
      select 'pg_operator'::regclass, oid, oprowner from pg_operator where oprnamespace = to_regnamespace('sti')
      union all
      select 'pg_type'::regclass, oid, typowner from pg_type
        where typnamespace = to_regnamespace('sti') and typtype in ('d', 'e', 'r') and typelem = 0
    ), me as (select oid, rolname from pg_roles where rolname = current_user)
    select quote_ident(me.rolname) as role, n.nspowner::regrole::text as owner, n.nspowner = me.oid as own,
      (select coalesce(jsonb_agg(pg_describe_object(class, oid, 0) || ' of role ' || owner::regrole), '[]')
        from (select * from object where owner <> me.oid order by class, oid limit 3) o) as foreign,
      (select coalesce(jsonb_agg(pg_describe_object(class, oid, 0)), '[]')
        from (select * from object order by class, oid limit 3) o) as objects
    from pg_namespace n, me where n.nspname = 'sti'`
  if (schema === undefined) return false
  const { role, owner, own, foreign, objects } = schema
  if (!own)
    throw new MigrationRefusedError(
      `Schema sti belongs to role ${owner} and not to ${role}, the role of the agent, so ${owner} could change what the agent runs: ` +
        `rename the schema if it is not of an agent, or run "alter schema sti owner to ${role}" and give ${role} its objects, too.`,
    )
  if (foreign.length > 0)
    throw new MigrationRefusedError(
      `Schema sti contains objects that do not belong to ${role}, the role of the agent (${foreign.join(', ')}): drop them, or give them to ${role} with "alter … owner to ${role}".`,
    )
  if (objects.length > 0 && (await readAppliedMigrations(sql)) === null)
    throw new MigrationRefusedError(
      `Schema sti contains objects that no agent created (${objects.join(', ')}): rename that schema, or move its objects to another one.`,
    )
  return true
}

async function listMigrations(): Promise<Migration[]> {
  const files = (await readdir(MIGRATIONS_FOLDER)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort()
  return files.map((name) => ({ number: Number(name.slice(0, 4)), name }))
}

/** Null: schema `sti` does not exist, or has no table of migrations. */
async function readAppliedMigrations(sql: Sql): Promise<readonly Migration[] | null> {
  const [schema] = await sql<{ exists: boolean }[]>`select to_regclass('sti.migration') is not null as exists`
  return schema!.exists ? await sql<Migration[]>`select number, name from sti.migration order by number` : null
}

/** Released migrations are never renamed, so another name under the same number is from before the first release. */
function refuseDevelopmentSchema(migrations: readonly Migration[], applied: readonly Migration[]): void {
  const foreign = applied.find(({ number, name }) =>
    migrations.some((migration) => migration.number === number && migration.name !== name),
  )
  if (foreign !== undefined)
    throw new MigrationRefusedError(
      `An earlier development version of the agent created schema sti (migration ${foreign.name}), and this version cannot upgrade it: ` +
        'finish or roll back its rollouts with the agent that created it, run "drop schema sti cascade", and start this agent again (docs/operations.md).',
    )
}

async function refuseUnannouncedTables(sql: Sql): Promise<void> {
  const [publications] = await sql<{ names: string | null }[]>`
    select string_agg(pubname, ', ') as names from pg_publication where puballtables`
  if (publications!.names !== null)
    throw new MigrationRefusedError(
      `Publication ${publications!.names} is FOR ALL TABLES and would replicate the tables of schema sti to its subscribers: ` +
        'create schema sti on the subscribers too, or publish tables by name; then add "publication: subscriber-ready" to the rollout file.',
    )
}
