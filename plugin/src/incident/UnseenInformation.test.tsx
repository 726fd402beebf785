import { render, screen } from '@testing-library/react'
import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { expect, test } from 'vitest'
import { UnseenInformation } from './UnseenInformation'

const openedAt = Date.parse('2026-03-01T12:00:00Z')
const notice = (id: number, changed: Partial<Incident> = {}) =>
  ({
    id,
    severity: 'info',
    state: 'open',
    summary: `backfill ${id} succeeded`,
    acknowledgeBy: new Date(openedAt + 3_600_000).toISOString(),
    acknowledgedSeconds: null,
    late: false,
    ...changed,
  }) as Incident

test('information that nobody has seen is listed with the rest of its hour, and nothing else is', () => {
  const seen = notice(2, { state: 'closed', acknowledgedSeconds: 5 })
  const critical = notice(3, { severity: 'critical' })
  render(<UnseenInformation incidents={[notice(1), seen, critical, notice(4)]} now={openedAt + 1_200_000} />)
  expect(screen.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual([
    'backfill 1 succeeded: acknowledge within 40 min',
    'backfill 4 succeeded: acknowledge within 40 min',
  ])
  expect(screen.getByText(/2 unseen notices/)).toBeTruthy()
})

test('without unseen information nothing is shown', () => {
  const { container } = render(<UnseenInformation incidents={[notice(1, { state: 'closed' })]} now={openedAt} />)
  expect(container.textContent).toBe('')
})
