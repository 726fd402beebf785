import { z } from 'zod'
import { ConditionReading, type Actor, type Incident } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { openIncident, type NewIncident } from '../incident/incidentStore.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import { PAUSED_BY_ROLLBACK_MESSAGE, transitionOperation } from '../operation/transition.ts'
import { findAlertRule } from './alertRules.ts'
import { storeAlerts, type StoredAlert } from './alertStore.ts'

/** What an automatic rollback leaves in the database: its incident, its alert, its event, and its own row. */
export interface RollbackRecord {
  readonly rollout: string
  readonly change: string
  /** Without its rollback. */
  readonly incident: Omit<NewIncident, 'rolledBack'>
  readonly reason: string
  /** The flag was on. */
  readonly turnedFlagOff: boolean
  /** Null: the guard decided. */
  readonly alert: StoredAlert | null
  /** Additional fields of the event. */
  readonly evidence: Readonly<Record<string, unknown>>
}

/** What an attempt has done already, so that the next one neither repeats nor forgets it. */
export interface RecordProgress {
  readonly pausedBackfills: Set<bigint>
  incidentOpened: boolean
  alertStored: boolean
}

export const newRecordProgress = (): RecordProgress => ({
  pausedBackfills: new Set(),
  incidentOpened: false,
  alertStored: false,
})

/** One key for all agents and paths that make the same decision. */
export const rollbackOperationKey = (rule: string, change: string): string => `automatic ${rule} ${change}`

/**
 * Writes the record. The row of sti.automatic_rollback is last, together with the event: without it, the record is owed,
 * and an agent that finds the operation of the rollback writes the rest (findOwedRecords).
 */
export async function recordRollback(
  { state, reached }: { readonly state: Sql; readonly reached: FailpointHook },
  record: RollbackRecord,
  progress: RecordProgress,
): Promise<void> {
  const { rollout, change, incident, reason, alert } = record
  const { rule, actor } = incident
  await reached('record.begun')
  const recorded = await isRecorded(state, rollout, rule, change)
  if (!recorded) await pauseBackfills(state, record, progress.pausedBackfills)
  await reached('record.paused')
  if (!recorded && !progress.incidentOpened) {
    const operationId = await findOperation(state, rollout, rule, change)
    await openIncident(state, { ...incident, isCurrentChange: true, rolledBack: { scope: 'flag', operationId } })
    progress.incidentOpened = true
  }
  await reached('record.incident')
  if (alert !== null && !progress.alertStored) await storeAlerts(state, [alert])
  progress.alertStored = true
  await reached('record.alert')
  const actions = [
    ...(record.turnedFlagOff ? ['turned the flag off'] : []),
    ...[...progress.pausedBackfills].map((id) => `paused backfill ${id}`),
  ]
  await state`
    with recorded as (
      insert into sti.automatic_rollback (rollout, rule, change, scope, actor)
      values (${rollout}, ${rule}, ${change}, 'flag', ${state.json(actor)})
      on conflict do nothing returning rollout
    )
    select sti.append_event(null, rollout, ${state.json(actor)}, 'decision',
      ${`${rule}: ${actions.join(', ') || 'nothing left to roll back'}`}, ${reason}, null,
      ${state.json({ act: 'roll-back', rule, change, reading: incident.reading, ...record.evidence })})
    from recorded`
  await reached('record.claimed')
}

async function isRecorded(sql: Sql, rollout: string, rule: string, change: string): Promise<boolean> {
  const rows = await sql`
    select from sti.automatic_rollback where rollout = ${rollout} and rule = ${rule} and change = ${change}`
  return rows.length > 0
}

async function findOperation(sql: Sql, rollout: string, rule: string, change: string): Promise<number | null> {
  const [operation] = await sql<{ id: bigint }[]>`
    select id from sti.operation where rollout = ${rollout} and kind = 'rollback'
      and parameters->'automatic'->>'rule' = ${rule} and parameters->'automatic'->>'change' = ${change}`
  return operation ? Number(operation.id) : null
}

/** Pauses the rollout's backfills at their next safe point. A person has to resume them. */
async function pauseBackfills(
  sql: Sql,
  { rollout, incident: { actor }, reason }: RollbackRecord,
  paused: Set<bigint>,
): Promise<void> {
  const openBackfills = await sql<{ id: bigint }[]>`
    select id from sti.operation where rollout = ${rollout} and kind = 'backfill' and state in ('queued', 'running')`
  for (const { id } of openBackfills)
    if (await transitionOperation(sql, id, 'pause', { actor, message: PAUSED_BY_ROLLBACK_MESSAGE, reason }))
      paused.add(id)
}

/** What the operation of a rollback keeps of its decision, so that the record can be written without the process. */
const StoredDecision = z.object({
  rule: z.string(),
  change: z.string(),
  source: z.enum(['grafana', 'alertmanager', 'guard']).nullable().catch(null),
  summary: z.string().nullable().catch(null),
  reasons: z.array(z.string()).catch([]),
  reading: ConditionReading.nullable().catch(null),
  /** Milliseconds since 1970. */
  startedAt: z.number().nullable().catch(null),
  alertCount: z.number().int().catch(1),
  fingerprint: z.string().nullable().catch(null),
})
export type StoredDecision = z.infer<typeof StoredDecision>

interface OwedRollback {
  readonly id: bigint
  readonly parameters: { readonly automatic?: unknown }
  readonly actor: Actor
  readonly reason: string | null
  readonly created_at: Date
}

/** An agent that has just turned the flag off writes the record itself. */
const GRACE_SECONDS = 5

/**
 * The records of automatic rollbacks whose flag change is in the database and whose record is not: the agent that decided
 * stopped in between.
 */
export async function findOwedRecords(state: Sql, rollout: string, environment: string): Promise<RollbackRecord[]> {
  const owed = await state<OwedRollback[]>`
    select id, parameters, actor, reason, created_at from sti.operation o
    where rollout = ${rollout} and kind = 'rollback' and parameters ? 'automatic'
      and created_at < clock_timestamp() - ${GRACE_SECONDS} * interval '1 s'
      and not exists (select from sti.automatic_rollback a where a.rollout = o.rollout
        and a.rule = o.parameters->'automatic'->>'rule' and a.change = o.parameters->'automatic'->>'change')
    order by id`
  return owed.map((operation) => toOwedRecord(operation, rollout, environment)).filter((record) => record !== null)
}

/** An incident may have been opened before the flag change was in the database: then it does not name the operation yet. */
export async function nameRollbackOperations(state: Sql, rollout: string): Promise<void> {
  await state`
    update sti.incident i set rollback_operation_id = o.id from sti.operation o
    where i.rollout = ${rollout} and i.rolled_back_at is not null and i.rollback_operation_id is null
      and o.rollout = i.rollout and o.kind = 'rollback'
      and o.parameters->'automatic'->>'rule' = i.rule and o.parameters->'automatic'->>'change' = i.change`
}

function toOwedRecord(operation: OwedRollback, rollout: string, environment: string): RollbackRecord | null {
  const parsed = StoredDecision.safeParse(operation.parameters.automatic)
  const rule = parsed.success ? findAlertRule(parsed.data.rule) : null
  if (!parsed.success || rule === null) return null
  const decision = parsed.data
  const { change, reasons, reading } = decision
  const summary = decision.summary ?? decision.rule
  const startedAt = decision.startedAt ?? operation.created_at.getTime()
  const source: Incident['source'] = decision.source ?? 'operation'
  return {
    rollout,
    change,
    reason: operation.reason ?? `${decision.rule} (${change})`,
    turnedFlagOff: true,
    evidence: { operation: Number(operation.id) },
    incident: {
      rollout,
      rule: decision.rule,
      change,
      isCurrentChange: true,
      severity: rule.severity,
      drill: false,
      source,
      summary,
      reasons,
      reading,
      actor: operation.actor,
      startedAt,
      alertCount: decision.alertCount,
    },
    alert:
      decision.fingerprint === null || decision.source === null || decision.source === 'guard'
        ? null
        : {
            seenResolved: false,
            count: decision.alertCount,
            decision: { action: 'roll-back', scope: 'flag', reasons },
            alert: {
              source: decision.source,
              status: 'firing',
              name: decision.rule,
              labels: { alertname: decision.rule, environment, rollout, change, sti_rollback: 'flag' },
              annotations: { summary },
              fingerprint: decision.fingerprint,
              startsAt: startedAt,
              endsAt: null,
              receivedAt: operation.created_at.getTime(),
            },
          },
  }
}
