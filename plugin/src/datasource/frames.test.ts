import type { DataFrame } from '@grafana/data'
import type { CheckResult, FailedRow, Incident, Operation } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { toCheckTable, toFailedRowTable, toIncidentAnnotations, toIncidentTable, toOperationTable } from './frames'

const column = ({ fields }: DataFrame, name: string) => fields.find((field) => field.name === name)?.values
const actor = { name: 'ada', level: 'editor', via: 'grafana' } as const

const incident = (id: number, change: Partial<Incident> = {}) =>
  ({
    id,
    rollout: 'vehicles',
    rule: 'StiApiErrorsHigh',
    severity: 'critical',
    state: 'open',
    summary: `summary ${id}`,
    rollback: { scope: 'flag', at: '2026-01-01T00:00:02Z', operationId: 3 },
    openedAt: '2026-01-01T00:00:01Z',
    acknowledgedBy: null,
    closedAt: null,
    ...change,
  }) as Incident

test('operations and incidents are newest first; what has not ended has no end', () => {
  const operation = (id: number, endedAt: string | null) =>
    ({
      id,
      rollout: 'vehicles',
      kind: 'backfill',
      parameters: {},
      state: endedAt === null ? 'running' : 'failed',
      actor,
      reason: null,
      createdAt: '2026-01-01T00:00:00Z',
      endedAt,
      error: endedAt === null ? null : 'a lock',
    }) as unknown as Operation
  const operations = toOperationTable([operation(1, '2026-01-01T00:00:05Z'), operation(2, null)], 'A')
  expect(operations.refId).toBe('A')
  expect(column(operations, 'Operation')).toEqual([2, 1])
  expect(column(operations, 'Ended')).toEqual([null, Date.parse('2026-01-01T00:00:05Z')])
  expect(column(operations, 'Error')).toEqual(['', 'a lock'])

  const incidents = toIncidentTable([incident(1, { acknowledgedBy: actor }), incident(2, { rollback: null })], 'A')
  expect(column(incidents, 'Incident')).toEqual([2, 1])
  expect(column(incidents, 'Rolled back')).toEqual(['', 'flag'])
  expect(column(incidents, 'Acknowledged by')).toEqual(['', 'ada'])
})

test('an incident is a region until it is closed; one that is not closed ends now', () => {
  const now = Date.parse('2026-01-01T01:00:00Z')
  const frame = toIncidentAnnotations(
    [incident(1), incident(2, { closedAt: '2026-01-01T00:30:00Z', rollout: null })],
    now,
  )
  expect(column(frame, 'timeEnd')).toEqual([now, Date.parse('2026-01-01T00:30:00Z')])
  expect(column(frame, 'tags')).toEqual([
    ['incident', 'critical', 'vehicles'],
    ['incident', 'critical'],
  ])
})

test('checks and failed rows name their rollout; a check without a value has none', () => {
  const check = { check: 'no-failed-row', layer: 'integrity', verdict: 'fail', value: null, limit: 0 } as CheckResult
  const checks = toCheckTable([{ rollout: 'vehicles', value: check }], 'A')
  expect([column(checks, 'Rollout'), column(checks, 'Verdict'), column(checks, 'Value')]).toEqual([
    ['vehicles'],
    ['fail'],
    [null],
  ])
  const row = { key: ['1', 'a'], sqlstate: '23514', message: 'check', attempts: 2, accepted: null } as FailedRow
  const rows = toFailedRowTable([{ rollout: 'vehicles', value: row }], 'A')
  expect([column(rows, 'Key'), column(rows, 'Accepted')]).toEqual([['1, a'], ['']])
})
