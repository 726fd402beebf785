import { render, screen } from '@testing-library/react'
import type { AgentStatus, AutomaticRollback, RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { expect, test } from 'vitest'
import { AutomaticRollbackSwitch } from './AutomaticRollbackSwitch'

const agent = { uid: 'u', name: 'STI staging', expected: null }
const environment = { name: 'staging', production: false, agent, all: [agent] as const, status: {} as AgentStatus }
const armed: AutomaticRollback = {
  armed: true,
  scopes: ['flag'],
  pausedBy: null,
  pausedUntil: null,
  reason: null,
  guard: true,
  pathSeenAt: null,
  pathLive: false,
  pathStarting: false,
}

const show = (state: Partial<AutomaticRollback>) =>
  render(
    <AutomaticRollbackSwitch
      environment={environment}
      detail={
        {
          rollout: 'vehicles',
          automaticRollback: { ...armed, ...state },
          actions: [{ action: 'automatic-rollback', allowed: true, reasons: [], operationId: null }],
        } as unknown as RolloutDetail
      }
      refresh={() => {}}
    />,
  )

test('armed automatic rollback can be paused', () => {
  show({})
  expect(screen.getByRole('group').textContent).toContain('armed')
  expect(screen.getByRole('button', { name: 'Pause automatic rollback' })).toBeTruthy()
})

test('paused automatic rollback shows until when and by whom, and can be resumed', () => {
  show({ armed: false, pausedBy: 'ann', pausedUntil: '2026-03-01T12:00:00.000Z', reason: 'a load test' })
  expect(screen.getByRole('group').textContent).toMatch(/Paused until 2026-03-01 [\d:]+ by ann/)
  expect(screen.getByRole('button', { name: 'Resume automatic rollback' })).toBeTruthy()
})

test('an unknown state is not shown as armed', () => {
  show({ armed: null })
  expect(screen.getByRole('group').textContent).not.toContain('armed')
})
