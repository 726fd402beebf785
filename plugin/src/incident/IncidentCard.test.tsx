import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { MemoryRouter } from 'react-router-dom'
import { expect, test, vi } from 'vitest'
import { IncidentCard } from './IncidentCard'

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

const renderCard = (shown: Incident, refusalReasons: string[] = []) => {
  const onRespond = vi.fn()
  render(
    <MemoryRouter>
      <IncidentCard incident={shown} production refusalReasons={refusalReasons} onRespond={onRespond} />
    </MemoryRouter>,
  )
  return onRespond
}

test('an open incident shows its alert, the decision, how late it is, and who was paged', () => {
  const onRespond = renderCard(incident)
  const card = screen.getByRole('article', { name: 'Incident 7' }).textContent
  for (const text of [
    'StiApiErrorsHigh',
    'The flag was turned off',
    'unhealthy: 41 of',
    'overdue by',
    'Technical Lead',
  ])
    expect(card).toContain(text)
  expect(card).toContain('3 alerts')
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
  expect(card).toContain('2% of requests fail.')
  expect(card).toContain('flag-13: 4% of requests fail. (an Alertmanager alert, 2 alerts from')
  cleanup()
  renderCard({ ...incident, severity: 'info' })
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
  const close = screen.getByRole('button', { name: 'Close' })
  expect(close.getAttribute('aria-disabled')).toBe('true')
  fireEvent.click(close)
  expect(onRespond).not.toHaveBeenCalled()
})
