import type { Sql } from '../database/connect.ts'
import type { AlertDecision } from './decide.ts'
import type { ReceivedAlert } from './receivedAlert.ts'

export interface StoredAlert {
  readonly alert: ReceivedAlert
  readonly seenResolved: boolean
  readonly count: number
  readonly decision: AlertDecision
}

const MAX_STORED_ALERTS = 10_000
const ALERT_RETENTION_DAYS = 30

/** Stores all alerts in one statement. An alert that is already stored is counted and takes the last decision. */
export async function storeAlerts(sql: Sql, stored: readonly StoredAlert[]): Promise<void> {
  const rows = stored.map(({ alert, seenResolved, count, decision }) => ({
    source: alert.source,
    rule: alert.name,
    fingerprint: alert.fingerprint,
    status: alert.status,
    deliveries: count,
    environment: alert.labels['environment'] ?? null,
    rollout: alert.labels['rollout'] ?? null,
    change: alert.labels['change'] ?? null,
    labels: alert.labels,
    annotations: alert.annotations,
    starts_at: new Date(alert.startsAt).toISOString(),
    received_at: new Date(alert.receivedAt).toISOString(),
    resolved: seenResolved,
    decision: decision.action,
    reasons: decision.reasons,
  }))
  await sql`
    insert into sti.alert as a (source, rule, fingerprint, starts_at, environment, rollout, change, status, labels, annotations,
      received_at, last_received_at, deliveries, resolved_at, decision, reasons)
    select source, rule, fingerprint, starts_at, environment, rollout, change, status, labels, annotations,
      received_at, received_at, deliveries, case when resolved then received_at end, decision, reasons
    from jsonb_to_recordset(${sql.json(rows)}::jsonb) as r(source text, rule text, fingerprint text, starts_at timestamptz,
      environment text, rollout text, change text, status text, labels jsonb, annotations jsonb, received_at timestamptz,
      deliveries integer, resolved boolean, decision text, reasons jsonb)
    on conflict (rule, fingerprint, starts_at) do update set
      last_received_at = greatest(a.last_received_at, excluded.last_received_at), deliveries = a.deliveries + excluded.deliveries,
      status = case when a.resolved_at is not null then 'resolved' else excluded.status end,
      resolved_at = coalesce(a.resolved_at, excluded.resolved_at),
      decision = case when a.decision = 'roll-back' then a.decision else excluded.decision end,
      reasons = case when a.decision = 'roll-back' then a.reasons else excluded.reasons end`
}

/** Deletes alerts older than 30 days and all but the newest 10,000. */
export async function deleteOldAlerts(sql: Sql): Promise<void> {
  await sql`
    delete from sti.alert where last_received_at < clock_timestamp() - make_interval(days => ${ALERT_RETENTION_DAYS})
      or id <= (select id from sti.alert order by id desc offset ${MAX_STORED_ALERTS} limit 1)`
}
