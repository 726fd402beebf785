import type { ReportBaseline } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

/** The baseline that the performance layer compares with: the newest of this environment, without its values over time. */
export async function readBaseline(sql: Sql, rollout: string, environment: string): Promise<ReportBaseline | null> {
  const [row] = await sql<
    (Omit<ReportBaseline, 'startedAt' | 'endedAt'> & { readonly startedAt: Date; readonly endedAt: Date })[]
  >`
    select id::float8, source, measured, release, digest, file_hash as "fileHash", started_at as "startedAt", ended_at as "endedAt",
      (select coalesce(jsonb_agg(jsonb_build_object('signal', s.signal, 'mean', s.summary->'mean', 'p95', s.summary->'p95',
        'maximum', s.summary->'maximum', 'unknown', s.summary->'unknown') order by s.signal), '[]')
        from sti.baseline_signal s where s.baseline_id = b.id) as signals
    from sti.baseline b where rollout = ${rollout} and environment = ${environment} and not one_run_only order by id desc limit 1`
  return row === undefined
    ? null
    : { ...row, startedAt: row.startedAt.toISOString(), endedAt: row.endedAt.toISOString() }
}
