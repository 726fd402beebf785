import type {
  Actor,
  Incident,
  Operation,
  OperationEvent,
  Promotion,
  Readiness,
  EvidenceReport,
} from '../contract/index.ts'
import { CONTRACT_VERSION } from '../contract/index.ts'
import { listFailedRows } from '../backfill/failedRows.ts'
import type { Sql } from '../database/connect.ts'
import { toOperationEvent, type OperationEventRow } from '../operation/events.ts'
import { toOperation, type OperationRow } from '../operation/operationRow.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import type { RolloutFile } from '../rollout/rolloutFile.ts'
import { redactContacts } from '../rollout/redactContacts.ts'
import { listIncidents, toIncident } from '../incident/incidentStore.ts'
import { listSignOffItems } from '../readiness/signOffItems.ts'
import { readAttestations } from '../readiness/attestations.ts'

/** ISO 8601 in UTC for to_char, since the driver would return a Date. */
const ISO_8601_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
const MAX_INCIDENTS = 500
const MAX_EVENTS = 2_000
const MAX_PROGRESS_POINTS = 500
const MAX_FAILED_ROWS = 100

/** What a report states from memory, or has read before: plain data, since it goes to a worker. */
export interface ReportInput {
  readonly environment: string
  readonly production: boolean
  readonly agent: { readonly name: string; readonly version: string }
  readonly by: Actor
  readonly rollout: string
  readonly table: string
  readonly text: string
  readonly hash: string
  readonly file: RolloutFile
  readonly stage: EvidenceReport['stage']
  readonly coverage: number | null
  readonly verified: boolean
  readonly validation: EvidenceReport['validation']
  readonly acceptances: EvidenceReport['acceptances']
  readonly baseline: EvidenceReport['baseline']
  readonly readiness: Readiness
  readonly promotions: readonly Promotion[]
  /** Why the state in the database is that of another one; null: it is ours. */
  readonly foreignState: string | null
}

/** Gathers everything a report states about a rollout. It reads only schema `sti`, never the table. */
export async function gatherReport(state: Sql, input: ReportInput): Promise<EvidenceReport> {
  const { environment, production, agent, rollout, file } = input
  const [[clock], operations, events, validations, progress, changes, failedRows, attestations, incidents] =
    await Promise.all([
      state<{ now: Date }[]>`select clock_timestamp() as now`,
      readOperations(state, rollout),
      readEvents(state, rollout),
      state<EvidenceReport['validations']>`
      select id::float8, to_char(started_at at time zone 'UTC', ${ISO_8601_FORMAT}) as "startedAt",
        to_char(ended_at at time zone 'UTC', ${ISO_8601_FORMAT}) as "endedAt", verdict, coverage, integrity_score as "integrityScore",
        file_hash as "fileHash"
      from (select * from sti.validation where rollout = ${rollout} and ended_at is not null order by id desc limit 500) v order by id`,
      readProgress(state, rollout),
      state<EvidenceReport['changes']>`
      select kind, object, statement, inverse, operation_id::float8 as "operationId",
        to_char(applied_at at time zone 'UTC', ${ISO_8601_FORMAT}) as at, to_char(reverted_at at time zone 'UTC', ${ISO_8601_FORMAT}) as "revertedAt",
        not_reverted_reason as left
      from sti.change where rollout = ${rollout} order by id`,
      readFailedRowSummary(state, rollout),
      readAttestations(state, rollout, listSignOffItems(file)),
      readIncidents(state, environment, rollout, file),
    ])
  return {
    format: 'sti-report/1',
    generatedAt: clock!.now.toISOString(),
    generatedBy: input.by.name,
    environment,
    production,
    agent: { name: agent.name, version: agent.version, contract: CONTRACT_VERSION },
    rollout,
    table: input.table,
    stage: input.stage,
    coverage: input.coverage,
    verified: input.verified && input.foreignState === null,
    file: { text: redactContacts(input.text), hash: input.hash, promotionHash: promotionHash(file) },
    validation: input.validation,
    validations: [...validations],
    progress,
    baseline: input.baseline,
    operations,
    events,
    changes: [...changes],
    failedRows,
    rollbacks: operations.filter(isRollback),
    promotions: [...input.promotions],
    attestations,
    acceptances: [...input.acceptances],
    incidents,
    readiness: {
      ...input.readiness,
      contacts: input.readiness.contacts.map((contact) => ({ ...contact, phone: null, email: null })),
    },
  }
}

async function readIncidents(
  sql: Sql,
  environment: string,
  rollout: string,
  { contacts }: RolloutFile,
): Promise<Incident[]> {
  const rows = await listIncidents(sql, { rollout, limit: MAX_INCIDENTS })
  const incidents = rows.map((row) => toIncident(row, environment, contacts))
  return incidents.sort((a, b) => a.id - b.id)
}

function isRollback({ kind, parameters }: Operation): boolean {
  return kind === 'rollback' || (kind === 'flag' && parameters['enabled'] === false)
}

async function readOperations(sql: Sql, rollout: string): Promise<Operation[]> {
  const rows = await sql<OperationRow[]>`
    select * from (select * from sti.operation where rollout = ${rollout} order by id desc limit 1000) o order by id`
  return rows.map(toOperation)
}

/** Progress readings are left out: they form the curve. */
async function readEvents(sql: Sql, rollout: string): Promise<EvidenceReport['events']> {
  const [[head], [count], rows] = await Promise.all([
    sql<{ hash: string }[]>`select hash from sti.event_head`,
    sql<{ total: number }[]>`select count(*)::int as total from sti.operation_event where rollout = ${rollout}`,
    sql<OperationEventRow[]>`
      select * from (select * from sti.operation_event where rollout = ${rollout} and kind <> 'reading'
        order by id desc limit ${MAX_EVENTS}) e order by id`,
  ])
  const entries: OperationEvent[] = rows.map(toOperationEvent)
  return { head: head!.hash, total: count!.total, entries }
}

/** Progress readings of backfills, evenly thinned out. */
async function readProgress(sql: Sql, rollout: string): Promise<EvidenceReport['progress']> {
  const rows = await sql<EvidenceReport['progress']>`
    with reading as (
      select id, at, operation_id, (after->>'processedRows')::float8 as processed, (after->>'totalRows')::float8 as total,
        row_number() over (order by id) as number, count(*) over () as reading_count
      from sti.operation_event where rollout = ${rollout} and kind = 'reading'
    )
    select to_char(at at time zone 'UTC', ${ISO_8601_FORMAT}) as at, operation_id::float8 as "operationId",
      processed as "processedRows", total as "totalRows"
    from reading where number % greatest(1, reading_count / ${MAX_PROGRESS_POINTS}) = 0 or number = reading_count order by id`
  return [...rows]
}

async function readFailedRowSummary(sql: Sql, rollout: string): Promise<EvidenceReport['failedRows']> {
  const [counts] = await sql<{ open: number; accepted: number; recovered: number }[]>`
    select count(*) filter (where recovered_at is null and accepted_by is null)::int as open,
      count(*) filter (where recovered_at is null and accepted_by is not null)::int as accepted,
      count(*) filter (where recovered_at is not null)::int as recovered
    from sti.failed_row where rollout = ${rollout}`
  return { ...counts!, rows: await listFailedRows(sql, rollout, MAX_FAILED_ROWS) }
}
