import { readdir, readFile } from 'node:fs/promises'
import type { Database } from './connect.ts'

const MIGRATIONS_FOLDER = new URL('./migrations/', import.meta.url)
/** Any number will do, as long as it is ours: it orders agents that boot at once. */
const MIGRATION_LOCK_KEY = 7_183_405_112

export class MigrationRefusedError extends Error {
  readonly code = 'migration-refused'
}

/**
 * Brings schema `sti` to the newest version, one transaction per numbered file, under a lock.
 * Throws MigrationRefused when a FOR ALL TABLES publication would pick up our tables unannounced.
 */
export async function migrate(database: Database, subscriberReady: boolean): Promise<void> {
  const sql = database.engine({ purpose: 'migrate', lockTimeoutMs: 5_000, statementTimeoutMs: 60_000 })
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK_KEY})`
    const [state] = await sql<{ there: boolean; published: string | null }[]>`
      select to_regclass('sti.migration') is not null as there,
        (select string_agg(pubname, ', ') from pg_publication where puballtables) as published`
    if (!state!.there) {
      if (state!.published !== null && !subscriberReady) {
        throw new MigrationRefusedError(
          `Publication ${state!.published} is FOR ALL TABLES and would send the tables of schema sti to its subscribers: ` +
            'create schema sti there too, or publish tables by name; then say "publication: subscriber-ready" in the rollout file.',
        )
      }
      await sql.unsafe(`begin; create schema if not exists sti;
        create table sti.migration (number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp());
        commit`)
    }
    const applied = new Set(
      (await sql<{ number: number }[]>`select number from sti.migration`).map((row) => row.number),
    )
    for (const name of (await readdir(MIGRATIONS_FOLDER)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort()) {
      const number = Number(name.slice(0, 4))
      if (applied.has(number)) continue
      const text = await readFile(new URL(name, MIGRATIONS_FOLDER), 'utf8')
      await sql.unsafe(`begin; ${text}; insert into sti.migration (number, name) values (${number}, '${name}'); commit`)
    }
  } finally {
    await sql.end({ timeout: 2 })
  }
}
