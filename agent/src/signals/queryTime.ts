import { OWN_STATEMENT_SQL } from '../database/tagStatement.ts'
import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import { SignalUnknownError, type Reading } from './reading.ts'

export interface QueryTimeOptions {
  readonly connection: BoundedConnection
  readonly intervalMs: number
  readonly now: () => number
  /** Receives the statements of each interval, per query. */
  readonly onInterval?: (interval: StatementInterval) => void
}

/** The execution times of the application's statements in one interval, per normalized query. */
export interface StatementInterval {
  /** The end of the interval, in milliseconds since 1970. */
  readonly at: number
  /** By the MD5 of the query text. DDL and other utility commands, whose text is not normalized, are excluded. */
  readonly queries: ReadonlyMap<string, StatementTime>
}

/** Calls, the sum of their seconds, and the sum of the squared seconds. */
export interface StatementTime {
  readonly calls: number
  readonly seconds: number
  readonly squares: number
}

interface StatementTotals extends StatementTime {
  readonly key: string
  readonly id: string
}

interface StatementClass {
  readonly ours: boolean
  /** Null: the text is not normalized. */
  readonly query: string | null
}

/** An interval has at most this many queries, those that took the most time. */
const MAX_REPORTED_QUERIES = 100
const NO_CALLS: StatementTime = { calls: 0, seconds: 0, squares: 0 }
/** Only these texts are normalized; a utility command may contain a password. */
export const NORMALIZED_QUERY_PATTERN = String.raw`^(\s|\(|/\*.*?\*/|--[^\n]*\n)*(select|insert|update|delete|merge|with|values)\M`

/**
 * Mean execution time in seconds of the queries (no utility commands) of this database that ended since the previous reading
 * (pg_stat_statements), except those of the agent (database/tagStatement.ts). Only top-level statements count: with
 * pg_stat_statements.track = all, statements inside functions would be counted twice. The difference is computed per
 * entry, so that a reset or an eviction does not distort the mean.
 */
export function pollQueryTime(options: QueryTimeOptions): Poll<Reading<number>> {
  const { connection, intervalMs, now, onInterval } = options
  let previous: ReadonlyMap<string, StatementTotals> | undefined
  let classes: ReadonlyMap<string, StatementClass> = new Map()
  return createPoll<Reading<number>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<number>> {
    const at = now()
    const schema = await extensionSchema()
    const totals = await connection
      .query<StatementTotals[]>(
        (sql) => sql`
        select /* sti */ concat_ws(' ', userid, queryid, toplevel) as key, concat_ws(' ', userid, queryid) as id,
          calls::float8 as calls, total_exec_time / 1000 as seconds,
          calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2) / 1e6 as squares
        from ${sql(schema)}.pg_stat_statements(false)
        where toplevel and dbid = (select oid from pg_database where datname = current_database())`,
      )
      .catch(rethrowExplained)
    // Reading texts costs five times as much as reading numbers, so texts are read only if there is a new entry.
    if (totals.some(({ id }) => !classes.has(id))) classes = await classify(schema)
    const last = previous
    previous = new Map(totals.map((total) => [total.key, total]))
    if (!last) return { unknown: 'the first interval is not over yet' }
    let all = NO_CALLS
    const queries = new Map<string, StatementTime>()
    for (const total of totals) {
      const { ours, query } = classes.get(total.id) ?? { ours: false, query: null }
      // Utility commands are left out: nobody can tell whose COMMIT or SET it was.
      if (ours || query === null) continue
      const earlier = last.get(total.key)
      const growth = subtractTimes(total, earlier && earlier.calls <= total.calls ? earlier : NO_CALLS)
      all = addTimes(all, growth)
      if (growth.calls > 0) queries.set(query, addTimes(queries.get(query) ?? NO_CALLS, growth))
    }
    onInterval?.({ at, queries: mostExpensive(queries) })
    if (all.calls === 0) return { unknown: 'no statement ended in the last interval' }
    return { value: all.seconds / all.calls, at }
  }

  async function classify(schema: string): Promise<ReadonlyMap<string, StatementClass>> {
    const texts = await connection.query<(StatementClass & { id: string })[]>(
      (sql) => sql`
      select /* sti */ concat_ws(' ', userid, queryid) as id, bool_or(${sql.unsafe(OWN_STATEMENT_SQL)}) as ours,
        min(md5(query)) filter (where left(query, 2000) ~* ${NORMALIZED_QUERY_PATTERN}) as query
      from ${sql(schema)}.pg_stat_statements
      where dbid = (select oid from pg_database where datname = current_database()) group by 1`,
    )
    return new Map(texts.map(({ id, ...statementClass }) => [id, statementClass]))
  }

  async function extensionSchema(): Promise<string> {
    const [row] = await connection.query<{ monitors: boolean; role: string; schema: string | null }[]>(
      (sql) => sql`
      select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'pg_stat_statements') as schema`,
    )
    if (!row?.schema)
      throw new SignalUnknownError('pg_stat_statements is missing: run CREATE EXTENSION pg_stat_statements')
    requireMonitorPrivilege(row)
    return row.schema
  }
}

function rethrowExplained(error: unknown): never {
  if ((error as { code?: string }).code !== '55000') throw error
  throw new SignalUnknownError(
    'pg_stat_statements is not loaded: add it to shared_preload_libraries and restart PostgreSQL',
  )
}

function subtractTimes(now: StatementTime, previous: StatementTime): StatementTime {
  return {
    calls: now.calls - previous.calls,
    seconds: Math.max(0, now.seconds - previous.seconds),
    squares: Math.max(0, now.squares - previous.squares),
  }
}

function addTimes(left: StatementTime, right: StatementTime): StatementTime {
  return {
    calls: left.calls + right.calls,
    seconds: left.seconds + right.seconds,
    squares: left.squares + right.squares,
  }
}

function mostExpensive(queries: ReadonlyMap<string, StatementTime>): ReadonlyMap<string, StatementTime> {
  if (queries.size <= MAX_REPORTED_QUERIES) return queries
  return new Map([...queries].sort(([, a], [, b]) => b.seconds - a.seconds).slice(0, MAX_REPORTED_QUERIES))
}
