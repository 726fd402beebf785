import { fireEvent, render, screen } from '@testing-library/react'
import type { AgentStatus, RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { expect, test } from 'vitest'
import { ActionBar } from './ActionBar'

const agent = { uid: 'u', name: 'STI staging', expected: null }
const environment = { name: 'staging', production: false, agent, all: [agent] as const, status: {} as AgentStatus }
const detail = {
  rollout: 'vehicles',
  actions: [
    { action: 'backfill', allowed: true, reasons: [], operationId: null },
    { action: 'enable', allowed: false, reasons: ['Coverage is not complete: run a backfill.'], operationId: null },
  ],
} as unknown as RolloutDetail

const button = (name: string) => screen.getByRole('button', { name })

test('a refused action is disabled, can be reached by keyboard, and shows its reason', async () => {
  render(<ActionBar environment={environment} detail={detail} onStarted={() => {}} />)
  expect(button('Backfill').getAttribute('aria-disabled')).not.toBe('true')
  const refused = button('Enable flag')
  expect(refused.getAttribute('aria-disabled')).toBe('true')
  refused.focus()
  expect(document.activeElement).toBe(refused)
  fireEvent.focus(refused)
  expect(await screen.findByText('Coverage is not complete: run a backfill.')).toBeTruthy()
  fireEvent.click(refused)
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('an action that the agent does not list is not allowed', () => {
  render(<ActionBar environment={environment} detail={detail} onStarted={() => {}} />)
  expect(button('Roll back data').getAttribute('aria-disabled')).toBe('true')
})
