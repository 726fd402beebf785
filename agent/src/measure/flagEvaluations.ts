import type { Sql } from '../database/connect.ts'

/** The watch restarts after a longer gap between polls, since it missed what happened in between. */
const MAX_POLL_GAP = '10 minutes'

export interface EvaluationWatch {
  /** In ISO 8601, like all times here. Null: the watch has not started. */
  readonly since: string | null
  /** Null: none was seen. */
  readonly evaluatedAt: string | null
  readonly evaluatedBy: string | null
}

/** Records that this agent serves the flag, and the last evaluation that it answered. */
export async function recordEvaluations(
  sql: Sql,
  rollout: string,
  lastEvaluation: { readonly secondsAgo: number; readonly client: string | null } | null,
): Promise<void> {
  await sql`
    insert into sti.flag_watch as w (rollout, last_evaluated_at, last_evaluated_by)
    values (${rollout}, clock_timestamp() - ${lastEvaluation?.secondsAgo ?? null}::float8 * interval '1 s', ${lastEvaluation?.client ?? null})
    on conflict (rollout) do update set
      watched_since = case when w.last_polled_at < clock_timestamp() - ${MAX_POLL_GAP}::interval then clock_timestamp() else w.watched_since end,
      last_polled_at = clock_timestamp(),
      last_evaluated_at = greatest(w.last_evaluated_at, excluded.last_evaluated_at),
      last_evaluated_by = case when excluded.last_evaluated_at > w.last_evaluated_at or w.last_evaluated_at is null
        then excluded.last_evaluated_by else w.last_evaluated_by end`
}

export async function readEvaluations(sql: Sql, rollout: string): Promise<EvaluationWatch> {
  const [row] = await sql<{ since: Date | null; at: Date | null; by: string | null }[]>`
    with asked as (
      select last_evaluated_at as at, last_evaluated_by as by from sti.flag_watch where rollout = ${rollout} and last_evaluated_at is not null
      union all select last_seen_at, client from sti.flag_client where rollout = ${rollout}
    ), latest as (select * from asked order by at desc limit 1)
    select (select watched_since from sti.flag_watch where rollout = ${rollout} and last_polled_at > clock_timestamp() - ${MAX_POLL_GAP}::interval) as since,
      (select at from latest) as at, (select by from latest) as by`
  return {
    since: row!.since?.toISOString() ?? null,
    evaluatedAt: row!.at?.toISOString() ?? null,
    evaluatedBy: row!.by,
  }
}

/**
 * Since when the flag has not been evaluated (ISO 8601), if that was watched for the whole soak time: the flag has left the
 * application. Null: it is evaluated, or nobody has watched for long enough.
 */
export async function readFlagUnusedSince(sql: Sql, rollout: string, soakSeconds: number): Promise<string | null> {
  const { since, evaluatedAt } = await readEvaluations(sql, rollout)
  const unusedSince = [since, evaluatedAt]
    .filter((instant) => instant !== null)
    .sort()
    .at(-1)
  if (since === null || unusedSince === undefined) return null
  const [row] = await sql<{ unused: boolean }[]>`
    select ${unusedSince}::timestamptz <= clock_timestamp() - make_interval(secs => ${soakSeconds}) as unused`
  return row!.unused ? unusedSince : null
}
