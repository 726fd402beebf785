import { type DataFrame, FieldType, toDataFrame } from '@grafana/data'
import {
  type CheckResult,
  type FailedRow,
  type Incident,
  type Operation,
  operationTitle,
} from '@sti-rollout/agent/contract'

/** A value with the rollout that it belongs to. */
export interface OfRollout<T> {
  readonly rollout: string
  readonly value: T
}

type Column<T> = readonly [name: string, type: FieldType, cell: (row: T) => unknown]

const time = (instant: string | null): number | null => (instant === null ? null : Date.parse(instant))

function toTable<T>(rows: readonly T[], columns: ReadonlyArray<Column<T>>, refId: string): DataFrame {
  return toDataFrame({
    refId,
    fields: columns.map(([name, type, cell]) => ({ name, type, values: rows.map(cell) })),
  })
}

const { time: TIME, string: STRING, number: NUMBER } = FieldType

/** Operations as a table, newest first. */
export const toOperationTable = (operations: readonly Operation[], refId: string): DataFrame =>
  toTable(
    [...operations].sort((a, b) => b.id - a.id),
    [
      ['Time', TIME, ({ createdAt }) => time(createdAt)],
      ['Rollout', STRING, ({ rollout }) => rollout],
      ['Operation', NUMBER, ({ id }) => id],
      ['Title', STRING, (operation) => operationTitle(operation)],
      ['State', STRING, ({ state }) => state],
      ['Requested by', STRING, ({ actor }) => actor.name],
      ['Reason', STRING, ({ reason }) => reason ?? ''],
      ['Ended', TIME, ({ endedAt }) => time(endedAt)],
      ['Error', STRING, ({ error }) => error ?? ''],
    ],
    refId,
  )

/** Incidents as a table, newest first. */
export const toIncidentTable = (incidents: readonly Incident[], refId: string): DataFrame =>
  toTable(
    [...incidents].sort((a, b) => b.id - a.id),
    [
      ['Time', TIME, ({ openedAt }) => time(openedAt)],
      ['Rollout', STRING, ({ rollout }) => rollout ?? ''],
      ['Incident', NUMBER, ({ id }) => id],
      ['Rule', STRING, ({ rule }) => rule],
      ['Severity', STRING, ({ severity }) => severity],
      ['State', STRING, ({ state }) => state],
      ['Summary', STRING, ({ summary }) => summary],
      ['Rolled back', STRING, ({ rollback }) => rollback?.scope ?? ''],
      ['Acknowledged by', STRING, ({ acknowledgedBy }) => acknowledgedBy?.name ?? ''],
      ['Closed', TIME, ({ closedAt }) => time(closedAt)],
    ],
    refId,
  )

/** Incidents as regions from their opening to their end; one that is not closed ends now. */
export function toIncidentAnnotations(incidents: readonly Incident[], now: number): DataFrame {
  return toDataFrame({
    fields: [
      { name: 'time', type: TIME, values: incidents.map(({ openedAt }) => time(openedAt)) },
      { name: 'timeEnd', type: TIME, values: incidents.map(({ closedAt }) => time(closedAt) ?? now) },
      { name: 'title', type: STRING, values: incidents.map(({ rule, severity }) => `${rule} (${severity})`) },
      { name: 'text', type: STRING, values: incidents.map(({ summary }) => summary) },
      {
        name: 'tags',
        type: FieldType.other,
        values: incidents.map(({ rollout, severity }) => ['incident', severity, rollout].filter(Boolean)),
      },
    ],
  })
}

/** The checks of the latest validation of each rollout as a table, in the order of the agent. */
export const toCheckTable = (checks: ReadonlyArray<OfRollout<CheckResult>>, refId: string): DataFrame =>
  toTable(
    checks,
    [
      ['Rollout', STRING, ({ rollout }) => rollout],
      ['Layer', STRING, ({ value: { layer } }) => layer],
      ['Check', STRING, ({ value: { check } }) => check],
      ['Verdict', STRING, ({ value: { verdict } }) => verdict],
      ['Value', NUMBER, ({ value: { value } }) => value],
      ['Limit', NUMBER, ({ value: { limit } }) => limit],
      ['Unit', STRING, ({ value: { unit } }) => unit],
      ['Discrepancies', NUMBER, ({ value: { discrepancies } }) => discrepancies],
      ['Detail', STRING, ({ value: { detail } }) => detail],
    ],
    refId,
  )

/** Failed rows as a table, in the order of the agent. */
export const toFailedRowTable = (rows: ReadonlyArray<OfRollout<FailedRow>>, refId: string): DataFrame =>
  toTable(
    rows,
    [
      ['Last failed', TIME, ({ value: { lastFailedAt } }) => time(lastFailedAt)],
      ['Rollout', STRING, ({ rollout }) => rollout],
      ['Key', STRING, ({ value: { key } }) => key.join(', ')],
      ['SQLSTATE', STRING, ({ value: { sqlstate } }) => sqlstate],
      ['Message', STRING, ({ value: { message } }) => message],
      ['Attempts', NUMBER, ({ value: { attempts } }) => attempts],
      ['Accepted', STRING, ({ value: { accepted } }) => accepted ?? ''],
    ],
    refId,
  )
