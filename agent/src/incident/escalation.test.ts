import { expect, test } from 'vitest'
import type { Severity } from '../contract/index.ts'
import { acknowledgeDeadline, currentEscalation, isLate, escalationLevels, type IncidentTimes } from './escalation.ts'

const MINUTE = 60_000
const opened = Date.parse('2026-03-01T10:00:00Z')
const incident = (change: Partial<IncidentTimes> = {}): IncidentTimes => ({
  severity: 'critical',
  openedAt: opened,
  acknowledgedAt: null,
  closedAt: null,
  ...change,
})

test.each<[Severity, number]>([
  ['critical', 5],
  ['warning', 15],
  ['info', 60],
])('%s must be acknowledged within %i minutes', (severity, minutes) => {
  expect(acknowledgeDeadline(incident({ severity })) - opened).toBe(minutes * MINUTE)
  expect(isLate(incident({ severity }), opened + minutes * MINUTE)).toBe(false)
  expect(isLate(incident({ severity }), opened + minutes * MINUTE + 1)).toBe(true)
  expect(isLate(incident({ severity, acknowledgedAt: opened + 1 }), opened + 100 * MINUTE)).toBe(false)
  expect(isLate(incident({ severity, acknowledgedAt: opened + 61 * MINUTE }), opened + 62 * MINUTE)).toBe(true)
  expect(isLate(incident({ severity, closedAt: opened + MINUTE }), opened + 100 * MINUTE)).toBe(false)
})

test('without contacts, the levels are reached after 5, 10, 15, and 30 minutes, and nobody is named', () => {
  const levels = [0, 4.9, 5, 9.9, 10, 15, 29.9, 30, 1_000].map(
    (minutes) => currentEscalation(incident(), [], opened + minutes * MINUTE).level,
  )
  expect(levels).toEqual([0, 0, 1, 1, 2, 3, 3, 4, 4])
  expect(currentEscalation(incident(), [], opened)).toEqual({
    level: 0,
    role: null,
    nextRole: null,
    nextAt: '2026-03-01T10:05:00.000Z',
  })
  expect(currentEscalation(incident(), [], opened + 31 * MINUTE).nextAt).toBeNull()
})

test('contacts are paged in order, each after its own time and never before the previous one', () => {
  const contacts = [
    { role: 'Technical Lead', escalateAfter: 120 },
    { role: 'Database Administrator', escalateAfter: 900 },
    { role: 'System Architect', escalateAfter: 600 },
  ]
  expect(escalationLevels('critical', contacts)).toEqual([
    { role: 'Technical Lead', seconds: 120 },
    { role: 'Database Administrator', seconds: 900 },
    { role: 'System Architect', seconds: 900 },
    { role: null, seconds: 1_800 },
  ])
  expect(currentEscalation(incident(), contacts, opened + 2 * MINUTE)).toEqual({
    level: 1,
    role: 'Technical Lead',
    nextRole: 'Database Administrator',
    nextAt: '2026-03-01T10:15:00.000Z',
  })
})

test.each<[Severity, number[]]>([
  ['critical', [5, 10, 15, 30]],
  ['warning', [15, 20, 25, 40]],
  ['info', []],
])('a late incident of severity %s reaches the levels of the plan at the minutes %j', (severity, minutes) => {
  const levels = escalationLevels(severity, [])
  expect(levels.map(({ seconds }) => seconds / 60)).toEqual(minutes)
  const first = acknowledgeDeadline(incident({ severity }))
  expect(currentEscalation(incident({ severity }), [], first - 1).level).toBe(0)
  expect(currentEscalation(incident({ severity }), [], first).level).toBe(Math.min(1, minutes.length))
  expect(currentEscalation(incident({ severity }), [], opened + 100 * MINUTE).level).toBe(minutes.length)
})

test('an acknowledged or closed incident does not escalate', () => {
  const acknowledged = incident({ acknowledgedAt: opened + 6 * MINUTE })
  expect(currentEscalation(acknowledged, [], opened + 100 * MINUTE)).toMatchObject({ level: 1, nextAt: null })
  expect(currentEscalation(incident({ closedAt: opened }), [], opened + 100 * MINUTE)).toMatchObject({
    level: 0,
    nextAt: null,
  })
})
