import { BASELINE_QUERIES, BASELINE_TEXT, type QueryBaseline } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { NORMALISED } from '../signals/statements.ts'
import { timesOf, statementsSchema } from './queries.ts'

interface Row {
  readonly query: string
  readonly text: string
  readonly calls: number
  readonly seconds: number
  readonly squares: number
  readonly since: Date | null
}

/** Every normalised query as pg_stat_statements has counted it since it was reset; none without the extension. */
export async function countedQueries(sql: Sql): Promise<QueryBaseline[]> {
  const schema = await statementsSchema(sql)
  if (schema === null) return []
  const rows = await sql<Row[]>`
    select /* sti */ md5(query) as query, min(left(query, ${BASELINE_TEXT})) as text, sum(calls)::float8 as calls,
      sum(total_exec_time) / 1000 as seconds,
      sum(calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2)) / 1e6 as squares,
      (select stats_reset from ${sql(schema)}.pg_stat_statements_info) as since
    from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
      and left(query, 2000) ~* ${NORMALISED} and not (strpos(query, '/* sti */') > 0 or query ~ '\\msti"?\\.')
    group by 1 having sum(calls) > 0 order by sum(total_exec_time) desc limit ${BASELINE_QUERIES}`
  return rows.map((row) => ({
    query: row.query,
    text: row.text,
    calls: row.calls,
    ...timesOf(row),
    stepSeconds: null,
    values: [],
    since: row.since?.toISOString() ?? null,
  }))
}
