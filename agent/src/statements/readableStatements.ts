import type { Sql } from '../database/connect.ts'
import { findStatementsSchema } from '../measure/querySampling.ts'

/** The schema of pg_stat_statements; null: the statements of an application cannot be read, or are not recorded. */
export async function findReadableStatements(sql: Sql): Promise<string | null> {
  const schema = await findStatementsSchema(sql)
  if (schema === null) return null
  const [row] = await sql<{ readable: boolean }[]>`
    select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
      and current_setting('shared_preload_libraries') ~ '\\mpg_stat_statements\\M'
      and current_setting('pg_stat_statements.track', true) is distinct from 'none' as readable`
  return row!.readable ? schema : null
}
