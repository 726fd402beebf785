import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { MemoryRouter } from 'react-router-dom'
import { expect, test, vi } from 'vitest'
import { IncidentCard } from './IncidentCard'
import { type IncidentContext, incidentReport } from './incidentReport'

const incident: Incident = {
  id: 7,
  rollout: 'vehicles',
  environment: 'production',
  rule: 'StiApiErrorsHigh',
  change: 'flag-12',
  severity: 'critical',
  state: 'open',
  drill: false,
  source: 'grafana',
  summary: '2% of requests fail.',
  reasons: ['The flag was turned off: the agent’s own reading agrees.'],
  reading: { state: 'unhealthy', sentence: '41 of 2,000 requests failed' },
  joined: [],
  rollback: { scope: 'flag', at: '2026-03-01T12:00:01.000Z', operationId: 31 },
  openedAt: '2026-03-01T12:00:00.000Z',
  seenAt: '2026-03-01T12:00:09.000Z',
  times: 3,
  acknowledgeBy: '2026-03-01T12:05:00.000Z',
  late: true,
  acknowledgedAt: null,
  acknowledgedBy: null,
  acknowledgedNote: null,
  acknowledgedSeconds: null,
  escalation: { level: 1, role: 'Technical Lead', nextAt: null, nextRole: null },
  closedAt: null,
  closedBy: null,
  closedNote: null,
}

const flag = {
  enabled: false,
  percentage: 100,
  persisted: true,
  consistent: true,
  clients: [{ stale: false }, { stale: false }],
} as unknown as IncidentContext['flag']
const context: IncidentContext = {
  flag,
  vitals: [
    {
      name: 'api-error-ratio',
      unit: 'ratio',
      value: 0,
      limit: 0.001,
      baseline: null,
      state: 'ok',
      detail: null,
    },
  ],
}

const renderCard = (shown: Incident, refusalReasons: string[] = []) => {
  const onRespond = vi.fn()
  render(
    <MemoryRouter>
      <IncidentCard
        incident={shown}
        production
        context={context}
        showRollout
        refusalReasons={refusalReasons}
        onRespond={onRespond}
      />
    </MemoryRouter>,
  )
  return onRespond
}

test('an open incident says what happened, what was done, if users are protected, how late it is, and who was paged', () => {
  const onRespond = renderCard(incident)
  const card = screen.getByRole('article', { name: 'Incident 7' }).textContent ?? ''
  for (const text of [
    'API errors high',
    '41 of 2,000 requests failed',
    'The agent turned the flag off at',
    '1 s after the incident opened; all 2 clients have seen it.',
    'Users are protected: the flag is off, and every client has seen it. API errors are now at 0% (limit 0.1%).',
    'acknowledgement overdue by',
    'Technical Lead was paged',
    '3 alerts',
  ])
    expect(card).toContain(text)
  expect(card.match(/41 of 2,000/g)).toHaveLength(1)
  expect(screen.queryByRole('button', { name: 'Close incident' })).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Acknowledge' }))
  expect(onRespond).toHaveBeenCalledWith({ verb: 'acknowledge', incident })
})

test('another change that joined an incident is shown with its own summary; information is acknowledged, not closed', () => {
  const joined = [
    {
      change: 'flag-13',
      summary: '4% of requests fail.',
      source: 'alertmanager',
      firstSeenAt: incident.openedAt,
      seenAt: incident.seenAt,
      times: 2,
    },
  ] as const
  renderCard({ ...incident, joined: [...joined] })
  const card = screen.getByRole('article').textContent
  expect(card).toContain('41 of 2,000 requests failed')
  expect(card).toContain('flag-13: 4% of requests fail. (an Alertmanager alert, 2 alerts from')
  cleanup()
  renderCard({ ...incident, severity: 'info', summary: 'Coverage is complete', reading: null, rollback: null })
  expect(screen.getByRole('article').textContent).toContain('Coverage is complete.Nothing needs to be done.')
  expect(screen.queryByText(/The agent changed nothing|nobody else is paged/)).toBeNull()
  expect(screen.getByRole('button', { name: 'Acknowledge' })).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Close' })).toBeNull()
})

test('an acknowledged incident can only be closed; a person who cannot respond sees the reason', () => {
  const by = { name: 'ann', level: 'editor', via: 'grafana' } as const
  const acknowledged = {
    acknowledgedAt: incident.seenAt,
    acknowledgedBy: by,
    acknowledgedNote: 'investigating',
    late: false,
  }
  const onRespond = renderCard({ ...incident, ...acknowledged, state: 'acknowledged', acknowledgedSeconds: 9 }, [
    'Not you.',
  ])
  expect(screen.queryByRole('button', { name: 'Acknowledge' })).toBeNull()
  expect(screen.getByRole('article').textContent).toContain('investigating')
  const close = screen.getByRole('button', { name: 'Close incident' })
  expect(close.getAttribute('aria-disabled')).toBe('true')
  fireEvent.click(close)
  expect(onRespond).not.toHaveBeenCalled()
})

test.each([
  [
    'the flag is on',
    { enabled: true, percentage: 50 },
    'Users are not protected: the flag is on for 50%.',
    'Roll back the flag',
  ],
  [
    'a client is out of date',
    { clients: [{ stale: true }, { stale: false }] },
    'Users are not fully protected yet: 1 of 2 clients may still read by type.',
    'Restart the clients',
  ],
  [
    'the database has not stored it',
    { persisted: false },
    'in the memory of this agent only',
    'Acknowledge the incident',
  ],
])('if %s, users are not called protected, and the rest says what to do', (_, changed, protection, left) => {
  const report = incidentReport(incident, { ...context, flag: { ...flag, ...changed } as typeof flag })
  expect(report.protection?.tone).toBe('bad')
  expect(report.protection?.sentence).toContain(protection)
  expect(report.left).toContain(left)
})

test('users are not called protected while errors stay above their limit', () => {
  const vitals = [{ ...context.vitals[0], value: 0.044, state: 'exceeded' }] as IncidentContext['vitals']
  const report = incidentReport(incident, { ...context, vitals })
  expect(report.protection).toEqual({
    tone: 'bad',
    sentence:
      'The flag is off, and every client has seen it, but the limit is still exceeded. API errors are now at 4.4% (limit 0.1%).',
  })
  expect(report.left).not.toContain('Nothing else')
})

test('an alert that has nothing to do with the flag claims nothing about users', () => {
  const report = incidentReport({ ...incident, rule: 'StiContactUnconfirmed', rollback: null }, context)
  expect(report.protection).toEqual({
    tone: 'neutral',
    sentence: 'No user reads by type: the flag is off, so the application reads the legacy columns.',
  })
  expect(report.done).toContain('The agent changed nothing.')
  expect(report.title).toBe('Contact unconfirmed')
})
