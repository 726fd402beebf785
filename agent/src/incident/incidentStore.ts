import type { Actor, Incident, ConditionReading, RollbackScope, Severity } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { acknowledgeDeadline, currentEscalation, isLate, type EscalationContact } from './escalation.ts'

export interface IncidentRow {
  readonly id: bigint
  readonly rollout: string | null
  readonly rule: string
  readonly change: string | null
  readonly severity: Severity
  readonly drill: boolean
  readonly source: Incident['source']
  readonly summary: string
  readonly reasons: string[]
  readonly reading: ConditionReading | null
  readonly joined: Incident['joined']
  readonly rolled_back_scope: RollbackScope | null
  readonly rolled_back_at: Date | null
  readonly rollback_operation_id: bigint | null
  readonly opened_at: Date
  readonly last_seen_at: Date
  readonly occurrences: number
  readonly opened_by: Actor
  readonly acknowledged_at: Date | null
  readonly acknowledged_by: Actor | null
  readonly acknowledged_note: string | null
  readonly closed_at: Date | null
  readonly closed_by: Actor | null
  readonly closed_note: string | null
  /** The database's clock, as for all other times. */
  readonly now: Date
}

/** More changes that join one incident are counted, but not listed: anybody could have invented them. */
const MAX_JOINED_CHANGES = 20

/** Opens an incident, or updates an open one. */
export interface NewIncident {
  /** Null: the environment as a whole. */
  readonly rollout: string | null
  readonly rule: string
  readonly change: string | null
  /**
   * The change is the active one, or is rolled back: it has an incident of its own. False: anybody could have sent this
   * change, so that it joins the newest open incident of its rule.
   */
  readonly isCurrentChange: boolean
  readonly severity: Severity
  readonly drill: boolean
  readonly source: Incident['source']
  readonly summary: string
  readonly reasons: readonly string[]
  readonly reading: ConditionReading | null
  readonly rolledBack: { readonly scope: RollbackScope; readonly operationId: number | null } | null
  readonly actor: Actor
  /** When the alert started, in milliseconds since 1970; null: now. */
  readonly startedAt: number | null
  /** The number of alerts. */
  readonly alertCount: number
}

/**
 * Opens an incident, or updates the open one of the same rollout, rule and change, which keeps its timer and its
 * acknowledgement. What it says is what its newest occurrence says, except that a rollback is not overwritten, and that
 * another change that joins it is listed with its own summary. An alert that started before the last incident was closed belongs to that incident and opens none; a rollback always has an
 * incident. Idempotent, and safe for several agents at once.
 */
export async function openIncident(sql: Sql, incident: NewIncident): Promise<{ id: number; opened: boolean } | null> {
  // Another agent may have opened it in the same moment, which only the next statement sees.
  return (await attemptToOpen(sql, incident)) ?? (await attemptToOpen(sql, incident))
}

async function attemptToOpen(sql: Sql, incident: NewIncident): Promise<{ id: number; opened: boolean } | null> {
  const { rollout, rule, change } = incident
  const startedAt = incident.startedAt === null ? null : new Date(incident.startedAt)
  const hasOwnChange = incident.isCurrentChange && change !== null
  const [row] = await sql<{ id: bigint; opened: boolean }[]>`
    with new as (
      select ${rollout}::text as rollout, ${rule}::text as rule, ${change}::text as change, ${incident.severity}::text as severity,
        ${incident.drill}::boolean as drill, ${incident.source}::text as source, ${incident.summary}::text as summary,
        ${sql.json([...incident.reasons])}::jsonb as reasons,
        ${incident.reading === null ? null : sql.json(incident.reading)}::jsonb as reading,
        ${sql.json(incident.actor)}::jsonb as opened_by, ${incident.alertCount}::int as occurrences,
        ${incident.rolledBack?.scope ?? null}::text as rolled_back_scope,
        case when ${incident.rolledBack !== null} then clock_timestamp() end as rolled_back_at,
        ${incident.rolledBack?.operationId ?? null}::bigint as rollback_operation_id
    ), found as (
      select i.id, i.rolled_back_at is not null as rolled_back, i.joined from sti.incident i, new
      where coalesce(i.rollout, '') = coalesce(new.rollout, '') and i.rule = new.rule and i.closed_at is null
        and (not ${hasOwnChange} or i.change = new.change or i.change is null)
      order by i.change is not distinct from new.change desc, i.id desc limit 1
      for update of i
    ), updated as (
      update sti.incident i set last_seen_at = clock_timestamp(), occurrences = i.occurrences + new.occurrences,
        change = case when ${hasOwnChange} then new.change else i.change end,
        severity = case when 'critical' in (i.severity, new.severity) then 'critical'
          when 'warning' in (i.severity, new.severity) then 'warning' else 'info' end,
        source = case when kept.card then i.source else new.source end,
        summary = case when kept.card then i.summary else new.summary end,
        reasons = case when kept.card then i.reasons else new.reasons end,
        reading = case when kept.card then i.reading else new.reading end,
        joined = case when new.change is null or ${hasOwnChange} or new.change is not distinct from i.change then i.joined
          else joined.changes end,
        rolled_back_scope = coalesce(i.rolled_back_scope, new.rolled_back_scope),
        rolled_back_at = coalesce(i.rolled_back_at, new.rolled_back_at),
        rollback_operation_id = coalesce(i.rollback_operation_id, new.rollback_operation_id)
      from found, new, lateral (
        select not ${incident.isCurrentChange} and new.change is not null
          or found.rolled_back as card
      ) kept, lateral (
        select coalesce(jsonb_agg(entry order by entry->>'firstSeenAt'), '[]') as changes from (
          select entry from jsonb_array_elements(found.joined) entry where entry->>'change' <> new.change
          union all
          select jsonb_build_object('change', new.change, 'summary', new.summary, 'source', new.source,
            'firstSeenAt', coalesce(former.entry->>'firstSeenAt', moment.text), 'seenAt', moment.text,
            'times', coalesce((former.entry->>'times')::int, 0) + new.occurrences)
          from (select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text) moment
            left join jsonb_array_elements(found.joined) as former(entry) on former.entry->>'change' = new.change
          where former.entry is not null or jsonb_array_length(found.joined) < ${MAX_JOINED_CHANGES}
        ) entries
      ) joined
      where i.id = found.id
      returning i.id
    ), inserted as (
      insert into sti.incident (rollout, rule, change, severity, drill, source, summary, reasons, reading, opened_by,
        occurrences, rolled_back_scope, rolled_back_at, rollback_operation_id)
      select rollout, rule, change, severity, drill, source, summary, reasons, reading, opened_by,
        occurrences, rolled_back_scope, rolled_back_at, rollback_operation_id
      from new
      where not exists (select from found) and not exists (select from sti.incident c
        where coalesce(c.rollout, '') = coalesce(new.rollout, '') and c.rule = new.rule and c.closed_at is not null
          and (not ${hasOwnChange} or c.change = new.change or c.change is null)
          and case when new.rolled_back_at is null then c.closed_at >= ${startedAt}::timestamptz
            else c.change = new.change and c.rolled_back_at is not null end)
      on conflict do nothing
      returning id
    ), event as (
      select sti.append_event(null, coalesce(new.rollout, ''), new.opened_by, 'incident',
        format('incident %s opened: %s', inserted.id, new.rule), new.summary, null,
        jsonb_build_object('incident', inserted.id, 'rule', new.rule, 'change', new.change, 'severity', new.severity)) as id
      from inserted, new
    )
    select id, false as opened from updated
    union all select inserted.id, true from inserted, event`
  return row ? { id: Number(row.id), opened: row.opened } : null
}

export interface IncidentUpdate {
  readonly actor: Actor
  readonly note: string | null
}

/**
 * Acknowledges an incident. Information needs nothing more than to be seen, so this closes it. Null: the incident does not
 * exist, is closed, or is already acknowledged.
 */
export async function acknowledgeIncident(
  sql: Sql,
  id: number,
  { actor, note }: IncidentUpdate,
): Promise<IncidentRow | null> {
  const [row] = await sql<IncidentRow[]>`
    with acknowledged as (
      update sti.incident set acknowledged_at = moment.now, acknowledged_by = ${sql.json(actor)}, acknowledged_note = ${note},
        closed_at = case when severity = 'info' and not drill then moment.now end,
        closed_by = case when severity = 'info' and not drill then ${sql.json(actor)}::jsonb end
      from (select clock_timestamp() as now) moment
      where id = ${id} and acknowledged_at is null and closed_at is null
      returning incident.*
    ), event as (
      select sti.append_event(null, coalesce(a.rollout, ''), ${sql.json(actor)}, 'incident', format('incident %s acknowledged', a.id),
        ${note}, null, jsonb_build_object('incident', a.id, 'rule', a.rule, 'seconds', extract(epoch from a.acknowledged_at - a.opened_at)))
      from acknowledged a
    )
    select a.*, clock_timestamp() as now from acknowledged a, event`
  return row ?? null
}

/** Closes an incident, and acknowledges it if nobody has. Null: it does not exist or is already closed. */
export async function closeIncident(
  sql: Sql,
  id: number,
  { actor, note }: IncidentUpdate,
): Promise<IncidentRow | null> {
  const [row] = await sql<IncidentRow[]>`
    with closed as (
      update sti.incident set closed_at = clock_timestamp(), closed_by = ${sql.json(actor)}, closed_note = ${note},
        acknowledged_at = coalesce(acknowledged_at, clock_timestamp()), acknowledged_by = coalesce(acknowledged_by, ${sql.json(actor)}::jsonb)
      where id = ${id} and closed_at is null
      returning *
    ), event as (
      select sti.append_event(null, coalesce(c.rollout, ''), ${sql.json(actor)}, 'incident', format('incident %s closed', c.id),
        ${note}, null, jsonb_build_object('incident', c.id, 'rule', c.rule)) from closed c
    )
    select c.*, clock_timestamp() as now from closed c, event`
  return row ?? null
}

export async function readIncident(sql: Sql, id: number): Promise<IncidentRow | null> {
  const [row] = await sql<IncidentRow[]>`select *, clock_timestamp() as now from sti.incident where id = ${id}`
  return row ?? null
}

/** Open incidents first, each newest first; for a rollout includes those of the environment as a whole. */
export async function listIncidents(
  sql: Sql,
  {
    rollout,
    open = false,
    severity,
    limit,
  }: { rollout?: string | undefined; open?: boolean; severity?: Severity | undefined; limit: number },
): Promise<IncidentRow[]> {
  return await sql<IncidentRow[]>`
    select *, clock_timestamp() as now from sti.incident
    where (${rollout ?? null}::text is null or rollout is null or rollout = ${rollout ?? null})
      and (closed_at is null or not ${open}) and (${severity ?? null}::text is null or severity = ${severity ?? null})
    order by (closed_at is null) desc, id desc limit ${limit}`
}

export function toIncident(row: IncidentRow, environment: string, contacts: readonly EscalationContact[]): Incident {
  const times = {
    severity: row.severity,
    openedAt: row.opened_at.getTime(),
    acknowledgedAt: row.acknowledged_at?.getTime() ?? null,
    closedAt: row.closed_at?.getTime() ?? null,
  }
  const now = row.now.getTime()
  return {
    id: Number(row.id),
    rollout: row.rollout,
    environment,
    rule: row.rule,
    change: row.change,
    severity: row.severity,
    drill: row.drill,
    source: row.source,
    summary: row.summary,
    state: row.closed_at !== null ? 'closed' : row.acknowledged_at !== null ? 'acknowledged' : 'open',
    reasons: row.reasons,
    reading: row.reading,
    joined: row.joined,
    rollback: toIncidentRollback(row),
    openedAt: row.opened_at.toISOString(),
    seenAt: row.last_seen_at.toISOString(),
    times: row.occurrences,
    acknowledgeBy: new Date(acknowledgeDeadline(times)).toISOString(),
    late: isLate(times, now),
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
    acknowledgedBy: row.acknowledged_by,
    acknowledgedNote: row.acknowledged_note,
    acknowledgedSeconds: times.acknowledgedAt === null ? null : (times.acknowledgedAt - times.openedAt) / 1_000,
    escalation: currentEscalation(times, contacts, now),
    closedAt: row.closed_at?.toISOString() ?? null,
    closedBy: row.closed_by,
    closedNote: row.closed_note,
  }
}

function toIncidentRollback({
  rolled_back_scope,
  rolled_back_at,
  rollback_operation_id,
}: IncidentRow): Incident['rollback'] {
  if (rolled_back_scope === null || rolled_back_at === null) return null
  const operationId = rollback_operation_id === null ? null : Number(rollback_operation_id)
  return { scope: rolled_back_scope, at: rolled_back_at.toISOString(), operationId }
}
