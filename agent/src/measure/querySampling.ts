import { MAX_BASELINE_QUERIES, MAX_QUERY_TEXT_LENGTH, type QueryBaseline } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { StatementInterval, StatementTime } from '../signals/queryTime.ts'
import {
  createTimeBuckets,
  computeBucketMeans,
  addReading,
  roundToFiveDigits,
  type TimeBuckets,
} from './timeBuckets.ts'

/** Each query of a series of intervals: its totals, and its mean duration in each part of the time span. */
export interface SampledQuery {
  readonly blocks: TimeBuckets
  total: StatementTime
}

export type SampledQueries = Map<string, SampledQuery>

export function addInterval(
  queries: SampledQueries,
  interval: StatementInterval,
  span: { readonly startedAt: number; readonly stepMs: number; readonly length: number },
): void {
  for (const [query, time] of interval.queries) {
    let sampled = queries.get(query)
    if (!sampled) {
      sampled = { blocks: createTimeBuckets(span.startedAt, span.stepMs, span.length), total: time }
      queries.set(query, sampled)
    } else {
      const { calls, seconds, squares } = sampled.total
      sampled.total = { calls: calls + time.calls, seconds: seconds + time.seconds, squares: squares + time.squares }
    }
    addReading(sampled.blocks, { at: interval.at, value: time.seconds / time.calls }, time.calls)
  }
}

/** The queries that took the most time. PostgreSQL supplies their texts; a text that it has evicted is empty. */
export async function summarizeTopQueries(sql: Sql, queries: SampledQueries): Promise<QueryBaseline[]> {
  const slowest = [...queries].sort(([, a], [, b]) => b.total.seconds - a.total.seconds).slice(0, MAX_BASELINE_QUERIES)
  const texts = await readQueryTexts(
    sql,
    slowest.map(([query]) => query),
  )
  return slowest.map(([query, { blocks, total }]) => ({
    query,
    text: texts.get(query) ?? '',
    calls: total.calls,
    ...summarizeTimes(total),
    stepSeconds: blocks.stepMs / 1000,
    values: computeBucketMeans(blocks),
    since: null,
  }))
}

export function summarizeTimes(total: StatementTime): Pick<QueryBaseline, 'meanSeconds' | 'standardDeviationSeconds'> {
  const mean = total.seconds / total.calls
  const variance = Math.max(0, total.squares / total.calls - mean ** 2)
  return { meanSeconds: roundToFiveDigits(mean), standardDeviationSeconds: roundToFiveDigits(Math.sqrt(variance)) }
}

/** The normalized texts of queries by their MD5, as far as pg_stat_statements has them. */
async function readQueryTexts(sql: Sql, queries: readonly string[]): Promise<Map<string, string>> {
  const schema = await findStatementsSchema(sql)
  if (queries.length === 0 || schema === null) return new Map()
  const rows = await sql<{ query: string; text: string }[]>`
    select /* sti */ md5(query) as query, min(left(query, ${MAX_QUERY_TEXT_LENGTH})) as text
    from ${sql(schema)}.pg_stat_statements where md5(query) in (select jsonb_array_elements_text(${sql.json([...queries])}::jsonb)) group by 1`
  return new Map(rows.map(({ query, text }) => [query, text]))
}

/** The schema of pg_stat_statements; null: the extension is not installed. */
export async function findStatementsSchema(sql: Sql): Promise<string | null> {
  const [row] = await sql<{ schema: string }[]>`
    select /* sti */ n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements'`
  return row?.schema ?? null
}
