import type { ColumnDropPullRequest, PreparedColumnDrop } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { ColumnDropSummary } from '../kind/facts.ts'

interface ColumnDropRow {
  readonly id: bigint
  readonly at: Date
  readonly file_hash: string
  readonly derivation_hash: string
  readonly parameters: PreparedColumnDrop['parameters']
  readonly verdict: PreparedColumnDrop['verdict']
  readonly prepared: boolean
  readonly reasons: string[]
  readonly checks: PreparedColumnDrop['checks']
  readonly migration: PreparedColumnDrop['migration']
  readonly pull_request: ColumnDropPullRequest | null
  readonly archive: PreparedColumnDrop['archive']
  readonly trial: PreparedColumnDrop['trial']
}

interface ColumnDropBriefRow {
  readonly derivation_hash: string
  /** The pull request's title and address; null if there is none. */
  readonly title: string | null
  readonly url: string | null
  readonly archived: boolean
}

/** The newest run; null if there is none. */
export async function readColumnDrop(sql: Sql, rollout: string): Promise<PreparedColumnDrop | null> {
  const [row] = await sql<
    ColumnDropRow[]
  >`select * from sti.column_drop where rollout = ${rollout} order by id desc limit 1`
  if (row === undefined) return null
  const { id, at, file_hash, derivation_hash, pull_request, ...rest } = row
  return {
    ...rest,
    id: Number(id),
    at: at.toISOString(),
    fileHash: file_hash,
    derivationHash: derivation_hash,
    pullRequest: pull_request,
  }
}

/** The newest run without its outputs. */
export async function readColumnDropBrief(sql: Sql, rollout: string): Promise<ColumnDropSummary | null> {
  const [row] = await sql<
    (Pick<ColumnDropRow, 'id' | 'at' | 'verdict' | 'prepared' | 'reasons'> & ColumnDropBriefRow)[]
  >`
    select id, at, derivation_hash, verdict, prepared, reasons, pull_request->>'title' as title, pull_request->>'url' as url,
      coalesce(jsonb_typeof(archive) = 'object', false) as archived
    from sti.column_drop where rollout = ${rollout} order by id desc limit 1`
  if (row === undefined) return null
  const { id, at, derivation_hash, title, url, ...rest } = row
  const pullRequest = title === null ? null : { title, url }
  return { ...rest, id: Number(id), at: at.toISOString(), derivationHash: derivation_hash, pullRequest }
}

/** Stores the outcome of a run. If the run is repeated after a crash, the new outcome replaces the old one. */
export async function writeColumnDrop(sql: Sql, rollout: string, run: Omit<PreparedColumnDrop, 'at'>): Promise<number> {
  const json = (value: unknown) => (value === null ? null : sql.json(value as never))
  const [row] = await sql<{ id: bigint }[]>`
    insert into sti.column_drop (id, rollout, file_hash, derivation_hash, parameters, verdict, prepared, reasons, checks, migration,
      pull_request, archive, trial)
    values (${run.id}, ${rollout}, ${run.fileHash}, ${run.derivationHash}, ${json(run.parameters)}, ${run.verdict}, ${run.prepared},
      ${json(run.reasons)}, ${json(run.checks)}, ${json(run.migration)}, ${json(run.pullRequest)}, ${json(run.archive)}, ${json(run.trial)})
    on conflict (id) do update set at = clock_timestamp(), verdict = excluded.verdict, prepared = excluded.prepared,
      reasons = excluded.reasons, checks = excluded.checks, migration = excluded.migration,
      pull_request = excluded.pull_request, archive = excluded.archive, trial = excluded.trial
    returning id`
  return Number(row!.id)
}
