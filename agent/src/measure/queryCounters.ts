import { MAX_BASELINE_QUERIES, MAX_QUERY_TEXT_LENGTH, type QueryBaseline } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { OWN_STATEMENT_SQL } from '../database/tagStatement.ts'
import { NORMALIZED_QUERY_PATTERN } from '../signals/queryTime.ts'
import { summarizeTimes, findStatementsSchema } from './querySampling.ts'

interface QueryCountersRow {
  readonly query: string
  readonly text: string
  readonly calls: number
  readonly seconds: number
  readonly squares: number
  readonly since: Date | null
}

/** Every normalized query as pg_stat_statements has counted it since its last reset; empty without the extension. */
export async function readQueryCounters(sql: Sql): Promise<QueryBaseline[]> {
  const schema = await findStatementsSchema(sql)
  if (schema === null) return []
  const rows = await sql<QueryCountersRow[]>`
    select /* sti */ md5(query) as query, min(left(query, ${MAX_QUERY_TEXT_LENGTH})) as text, sum(calls)::float8 as calls,
      sum(total_exec_time) / 1000 as seconds,
      sum(calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2)) / 1e6 as squares,
      (select stats_reset from ${sql(schema)}.pg_stat_statements_info) as since
    from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
      and left(query, 2000) ~* ${NORMALIZED_QUERY_PATTERN} and not ${sql.unsafe(OWN_STATEMENT_SQL)}
    group by 1 having sum(calls) > 0 order by sum(total_exec_time) desc limit ${MAX_BASELINE_QUERIES}`
  return rows.map((row) => ({
    query: row.query,
    text: row.text,
    calls: row.calls,
    ...summarizeTimes(row),
    stepSeconds: null,
    values: [],
    since: row.since?.toISOString() ?? null,
  }))
}
