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

test('armed it can be held', () => {
  show({})
  expect(screen.getByRole('group').textContent).toContain('armed')
  expect(screen.getByRole('button', { name: 'Hold' })).toBeTruthy()
})

test('held it says by whom and until when, and can be armed', () => {
  show({ armed: false, pausedBy: 'ann', pausedUntil: '2026-03-01T12:00:00.000Z', reason: 'a load test' })
  expect(screen.getByRole('group').textContent).toMatch(/Held by ann until 2026-03-01/)
  expect(screen.getByRole('button', { name: 'Arm' })).toBeTruthy()
})

test('not known is not armed', () => {
  show({ armed: null })
  expect(screen.getByRole('group').textContent).not.toContain('armed')
})
