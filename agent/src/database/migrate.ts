import { readdir, readFile } from 'node:fs/promises'
import type { Database, Sql } from './connect.ts'

const MIGRATIONS_FOLDER = new URL('./migrations/', import.meta.url)
/** An arbitrary number. The lock serializes agents that start at the same time. */
const MIGRATION_LOCK_KEY = 7_183_405_112

/** The agent must not create or change schema `sti` in this database. The message says why and what to do. */
export class MigrationRefusedError extends Error {
  readonly code = 'migration-refused'
}

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
    const migrations = await listMigrations()
    const applied = await readAppliedMigrations(sql)
    if (applied === null) {
      if (!subscriberReady) await refuseUnannouncedTables(sql)
      await sql.unsafe(`begin; create schema if not exists sti;
        create table sti.migration (number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp());
        commit`)
    } else refuseDevelopmentSchema(migrations, applied)
    for (const { number, name } of migrations) {
      if (applied?.some((done) => done.number === number)) continue
      const text = await readFile(new URL(name, MIGRATIONS_FOLDER), 'utf8')
      await sql.unsafe(`begin; ${text}; insert into sti.migration (number, name) values (${number}, '${name}'); commit`)
    }
  } finally {
    await sql.end({ timeout: 2 })
  }
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
