import type { Incident } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { acknowledgementTimer, escalationText, sortIncidents } from './display'

const at = Date.parse('2026-03-01T12:00:00Z')
const instant = (seconds: number) => new Date(at + seconds * 1000).toISOString()
const incident = (changed: Partial<Incident> = {}) =>
  ({
    state: 'open',
    acknowledgeBy: instant(300),
    acknowledgedSeconds: null,
    late: false,
    escalation: { level: 0, role: null, nextAt: instant(60), nextRole: 'Technical Lead' },
    ...changed,
  }) as Incident

test('the timer shows the time left, how long it is overdue, or how long it took', () => {
  expect(acknowledgementTimer(incident(), at)).toEqual({ text: 'acknowledge within 5 min', late: false })
  expect(acknowledgementTimer(incident(), at + 360_000)).toEqual({
    text: 'acknowledgement overdue by 1 min',
    late: true,
  })
  const acknowledged = incident({ state: 'acknowledged', acknowledgedSeconds: 42 })
  expect(acknowledgementTimer(acknowledged, at + 900_000)).toEqual({ text: 'acknowledged after 42 s', late: false })
  expect(acknowledgementTimer(incident({ state: 'closed', late: true }), at).text).toBe(
    'closed without acknowledgement',
  )
})

test('the escalation names who was paged, and who is next', () => {
  expect(escalationText(incident(), at)).toBe('Technical Lead is paged in 1 min')
  const last = { level: 4, role: 'System Architect', nextAt: null, nextRole: null }
  expect(escalationText(incident({ escalation: last }), at)).toBe('System Architect was paged')
  expect(escalationText(incident({ state: 'acknowledged' }), at)).toBe('nobody was paged')
  expect(escalationText(incident({ severity: 'info' }), at)).toBe('information pages nobody')
})

test('open incidents come first, by severity, then in the order of the agent', () => {
  const list = [
    incident({ id: 5, state: 'acknowledged', severity: 'critical' }),
    incident({ id: 4, state: 'open', severity: 'warning' }),
    incident({ id: 3, state: 'open', severity: 'critical' }),
    incident({ id: 2, state: 'closed', severity: 'critical' }),
    incident({ id: 1, state: 'open', severity: 'critical' }),
  ]
  expect(sortIncidents(list).map(({ id }) => id)).toEqual([3, 1, 4, 5, 2])
})
