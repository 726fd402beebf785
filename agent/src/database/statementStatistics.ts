import type { Sql } from './connect.ts'

/** Why the statements of the application cannot be read from pg_stat_statements. */
export interface StatementStatisticsFault {
  /** A clause without a period. */
  readonly problem: string
  /** What to do, in the imperative, without a period. */
  readonly remedy: string
}

/** Null: the statements can be read. */
export async function findStatementStatisticsFault(sql: Sql): Promise<StatementStatisticsFault | null> {
  const [row] = await sql<
    { created: boolean; readable: boolean; role: string; loaded: boolean; tracks: string | null }[]
  >`
    select /* sti */ exists (select from pg_catalog.pg_extension where extname = 'pg_stat_statements') as created,
      pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as readable, pg_catalog.quote_ident(current_user) as role,
      -- shared_preload_libraries itself is readable for members of pg_read_all_settings only.
      exists (select from pg_catalog.pg_settings where name = 'pg_stat_statements.max') as loaded,
      pg_catalog.current_setting('pg_stat_statements.track', true) as tracks`
  const { created, readable, role, loaded, tracks } = row!
  const consequence =
    'so query times are unknown and the column drop cannot see which statements use the legacy columns'
  if (!loaded)
    return {
      problem: `pg_stat_statements is not loaded, ${consequence}`,
      remedy: `add it to shared_preload_libraries, restart PostgreSQL${created ? '' : ', and run CREATE EXTENSION pg_stat_statements'}`,
    }
  if (!created)
    return {
      problem: `the extension pg_stat_statements is not created, ${consequence}`,
      remedy: 'run CREATE EXTENSION pg_stat_statements',
    }
  if (tracks === 'none') return { problem: `pg_stat_statements.track is none, ${consequence}`, remedy: 'set it to top' }
  if (!readable)
    return {
      problem: `role ${role} cannot read statements of other roles, ${consequence}`,
      remedy: `run GRANT pg_monitor TO ${role}`,
    }
  return null
}
