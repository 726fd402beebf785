import type { Sql } from '../database/connect.ts'
import { OWN_STATEMENT_SQL } from '../database/tagStatement.ts'
import { findStatementsSchema } from '../measure/querySampling.ts'

/** A statement of an application, as pg_stat_statements normalized it. */
export interface TableStatement {
  readonly text: string
  readonly role: string
  readonly calls: number
}

/** How many statements are read, those with the most calls first. */
const MAX_STATEMENTS = 1_000

/**
 * The statements of applications in this database that contain one of these names of relations and match the pattern, a
 * regular expression of PostgreSQL. Null: they cannot be read, or are not recorded.
 */
export async function readTableStatements(
  sql: Sql,
  names: readonly string[],
  pattern: string,
): Promise<TableStatement[] | null> {
  const schema = await findStatementsSchema(sql)
  if (schema === null || !(await canReadStatements(sql))) return null
  return await sql<TableStatement[]>`
    select /* sti */ query as text, pg_get_userbyid(userid)::text as role, sum(calls)::float8 as calls
    from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and not ${sql.unsafe(OWN_STATEMENT_SQL)}
      and query ~* ${pattern}
      and exists (select from jsonb_array_elements_text(${sql.json(names.map((name) => name.toLowerCase()))}::jsonb) relation (name)
        where strpos(lower(query), relation.name) > 0)
    -- The same text has another entry after each change of the table.
    group by userid, query order by 3 desc limit ${MAX_STATEMENTS}`
}

async function canReadStatements(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ readable: boolean }[]>`
    select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
      and current_setting('shared_preload_libraries') ~ '\\mpg_stat_statements\\M'
      and current_setting('pg_stat_statements.track', true) is distinct from 'none' as readable`
  return row!.readable
}
