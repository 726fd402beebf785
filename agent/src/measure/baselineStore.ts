import type {
  Actor,
  Baseline,
  BaselineContent,
  BaselineSummary,
  QueryBaseline,
  SignalBaseline,
} from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'
import { assessFitness, type BaselineContext } from './baselineFitness.ts'
import type { RolloutFile } from '../rollout/rolloutFile.ts'

interface BaselineRow {
  readonly id: bigint
  readonly rollout: string
  readonly operation_id: bigint | null
  readonly environment: string
  readonly file_hash: string
  readonly sources_hash: string
  readonly release: string | null
  readonly source: BaselineSummary['source']
  readonly measured_from: BaselineSummary['measured']
  readonly digest: string
  readonly one_run_only: boolean
  readonly started_at: Date
  readonly ended_at: Date
  readonly created_at: Date
  readonly created_by: Actor
  readonly notes: string[]
  readonly signals: BaselineSummary['signals']
  readonly queries: number
}

/** The context in which a baseline of this rollout is used now. */
export function createBaselineContext(rollout: Rollout, environment: string): BaselineContext {
  const { name, hash, file } = rollout
  return { rollout: name, environment, fileHash: hash, sourcesHash: hashSignalSources(file), now: Date.now() }
}

/** Lists baselines, newest first, except those given to a single validation. */
export async function listBaselines(sql: Sql, context: BaselineContext, limit = 50): Promise<BaselineSummary[]> {
  const rows = await selectBaselineRows(sql, sql`rollout = ${context.rollout} and not one_run_only`, limit)
  return rows.map((row) => toBaselineSummary(row, context))
}

/** The newest usable baseline; if there is none, the newest one, which says why; null: there are no baselines. */
export async function readNewestBaseline(sql: Sql, context: BaselineContext): Promise<BaselineSummary | null> {
  const baselines = await listBaselines(sql, context, 5)
  return baselines.find(({ unusable }) => unusable.length === 0) ?? baselines[0] ?? null
}

/** A baseline with all its values, or null. */
export async function readBaseline(sql: Sql, context: BaselineContext, id: number): Promise<Baseline | null> {
  const [row] = await selectBaselineRows(sql, sql`id = ${id} and rollout = ${context.rollout}`, 1)
  if (!row) return null
  const [signals, queries] = await Promise.all([
    sql<{ signal: SignalBaseline }[]>`
      select summary || jsonb_build_object('values', samples) as signal from sti.baseline_signal
      where baseline_id = ${id} order by baseline_signal.signal`,
    sql<{ summary: QueryBaseline }[]>`
      select summary from sti.baseline_query where baseline_id = ${id}
      order by (summary->>'calls')::float8 * (summary->>'meanSeconds')::float8 desc, query`,
  ])
  const summary = toBaselineSummary(row, context)
  const { rollout, environment, fileHash, sourcesHash, release, measured, startedAt, endedAt, notes } = summary
  return {
    ...summary,
    content: {
      rollout,
      environment,
      fileHash,
      sourcesHash,
      release,
      measured,
      startedAt,
      endedAt,
      notes,
      signals: signals.map(({ signal }) => signal),
      queries: queries.map((query) => query.summary),
    },
  }
}

/** The id of the stored baseline with this content, or null. */
export async function findSameBaseline(sql: Sql, rollout: string, content: BaselineContent): Promise<number | null> {
  const [row] = await sql<{ id: bigint }[]>`
    select id from sti.baseline where rollout = ${rollout} and digest = ${computeBaselineDigest(content)} order by one_run_only, id limit 1`
  return row ? Number(row.id) : null
}

interface NewBaseline {
  /** The rollout for which the baseline is stored. */
  readonly rollout: string
  readonly operationId: bigint | null
  readonly source: BaselineSummary['source']
  readonly oneRunOnly: boolean
  readonly createdBy: Actor
  readonly content: BaselineContent
}

/**
 * Stores a baseline and the event that the panels show as its annotation, in one statement. An operation stores one
 * baseline: a call after a crash returns the id of the stored one.
 */
export async function saveBaseline(sql: Sql, baseline: NewBaseline, reason: string | null): Promise<number> {
  const { content } = baseline
  const signals = content.signals.map(({ values, ...summary }) => ({
    signal: summary.signal,
    summary,
    samples: values,
  }))
  const queries = content.queries.map((summary) => ({ query: summary.query, summary }))
  const origin = baseline.source === 'import' ? `imported, measured in ${content.environment}` : baseline.source
  const message = `Baseline${content.release === null ? '' : ` of ${content.release}`} (${origin})`
  const means = Object.fromEntries(content.signals.map(({ signal, mean }) => [signal, mean]))
  const [row] = await sql<{ id: bigint }[]>`
    with kept as (
      insert into sti.baseline (id, rollout, operation_id, environment, file_hash, sources_hash, release, source, measured_from,
        digest, one_run_only, started_at, ended_at, created_by, notes)
      values (coalesce(${baseline.operationId}::bigint, nextval(pg_get_serial_sequence('sti.operation', 'id'))), ${baseline.rollout},
        ${baseline.operationId}, ${content.environment}, ${content.fileHash}, ${content.sourcesHash},
        ${content.release}, ${baseline.source}, ${content.measured}, ${computeBaselineDigest(content)}, ${baseline.oneRunOnly},
        ${content.startedAt}, ${content.endedAt}, ${sql.json(baseline.createdBy)}, ${sql.json(content.notes)})
      on conflict (operation_id) do nothing
      returning id
    ), signals as (
      insert into sti.baseline_signal (baseline_id, signal, summary, samples)
      select kept.id, s.signal, s.summary, s.samples
      from kept, jsonb_to_recordset(${sql.json(signals)}::jsonb) as s(signal text, summary jsonb, samples jsonb)
    ), queries as (
      insert into sti.baseline_query (baseline_id, query, summary)
      select kept.id, q.query, q.summary
      from kept, jsonb_to_recordset(${sql.json(queries)}::jsonb) as q(query text, summary jsonb)
    ), event as (
      select sti.append_event(${baseline.operationId}, ${baseline.rollout}, ${sql.json(baseline.createdBy)}, 'baseline', ${message}, ${reason},
        null, jsonb_build_object('baseline', kept.id, 'release', ${content.release}::text, 'means', ${sql.json(means)}::jsonb)) from kept
    )
    select kept.id from kept, event`
  if (row) return Number(row.id)
  const [existing] = await sql<
    { id: bigint }[]
  >`select id from sti.baseline where operation_id = ${baseline.operationId}`
  return Number(existing!.id)
}

/** The digest of the measurement; the file format does not matter. */
export function computeBaselineDigest(content: BaselineContent): string {
  const bySignal = [...content.signals].sort((a, b) => (a.signal < b.signal ? -1 : 1))
  const byQuery = [...content.queries].sort((a, b) => (a.query < b.query ? -1 : 1))
  return canonicalHash({ ...content, signals: bySignal, queries: byQuery })
}

async function selectBaselineRows(sql: Sql, condition: ReturnType<Sql>, limit: number): Promise<BaselineRow[]> {
  return await sql<BaselineRow[]>`
    select b.*, coalesce((select jsonb_agg(s.summary order by s.signal) from sti.baseline_signal s where s.baseline_id = b.id), '[]') as signals,
      (select count(*)::int from sti.baseline_query q where q.baseline_id = b.id) as queries
    from sti.baseline b where ${condition} order by b.id desc limit ${limit}`
}

function toBaselineSummary(row: BaselineRow, context: BaselineContext): BaselineSummary {
  const content = {
    rollout: row.rollout,
    environment: row.environment,
    fileHash: row.file_hash,
    sourcesHash: row.sources_hash,
    release: row.release,
    measured: row.measured_from,
    notes: row.notes,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at.toISOString(),
  }
  return {
    ...content,
    id: Number(row.id),
    operationId: row.operation_id === null ? null : Number(row.operation_id),
    source: row.source,
    digest: row.digest,
    oneRunOnly: row.one_run_only,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    signals: row.signals,
    queries: row.queries,
    ...assessFitness(content, context),
  }
}

/** The hash of the signal sources in the file: with other sources, a signal of the same name is a different one. */
export function hashSignalSources({ api, host, signals }: Pick<RolloutFile, 'api' | 'host' | 'signals'>): string {
  return canonicalHash({ api: api ?? null, host, signals })
}
