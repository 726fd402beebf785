import type { Incident } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { acknowledgementClock, escalationText, sortIncidents } from './display'

const at = Date.parse('2026-03-01T12:00:00Z')
const instant = (seconds: number) => new Date(at + seconds * 1000).toISOString()
const incident = (more: Partial<Incident> = {}) =>
  ({
    state: 'open',
    acknowledgeBy: instant(300),
    acknowledgedSeconds: null,
    late: false,
    escalation: { level: 0, role: null, nextAt: instant(60), nextRole: 'Technical Lead' },
    ...more,
  }) as Incident

test('the clock says what is left, how late it is, or how long it took', () => {
  expect(acknowledgementClock(incident(), at)).toEqual({ text: 'to be acknowledged within 5 min', late: false })
  expect(acknowledgementClock(incident(), at + 360_000)).toEqual({ text: 'late by 1 min', late: true })
  const acknowledged = incident({ state: 'acknowledged', acknowledgedSeconds: 42 })
  expect(acknowledgementClock(acknowledged, at + 900_000)).toEqual({ text: 'acknowledged after 42 s', late: false })
  expect(acknowledgementClock(incident({ state: 'closed', late: true }), at).text).toBe(
    'closed without an acknowledgement',
  )
})

test('who is called now, and who next', () => {
  expect(escalationText(incident(), at)).toBe('nobody yet; Technical Lead in 1 min')
  const last = { level: 4, role: 'System Architect', nextAt: null, nextRole: null }
  expect(escalationText(incident({ escalation: last }), at)).toBe('level 4, System Architect')
  expect(escalationText(incident({ state: 'acknowledged' }), at)).toBe('nobody had to be called')
})

test('what waits for somebody comes first, the gravest above, the newest of them as the agent says', () => {
  const list = [
    incident({ id: 5, state: 'acknowledged', severity: 'critical' }),
    incident({ id: 4, state: 'open', severity: 'warning' }),
    incident({ id: 3, state: 'open', severity: 'critical' }),
    incident({ id: 2, state: 'closed', severity: 'critical' }),
    incident({ id: 1, state: 'open', severity: 'critical' }),
  ]
  expect(sortIncidents(list).map(({ id }) => id)).toEqual([3, 1, 4, 5, 2])
})
