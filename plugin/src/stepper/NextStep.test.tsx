import { fireEvent, render, screen } from '@testing-library/react'
import type { AgentStatus, NextStep as NextStepAnswer, RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { MemoryRouter } from 'react-router-dom'
import { expect, test } from 'vitest'
import { NextStep } from './NextStep'

const agent = { uid: 'u', name: 'STI staging', expected: null }
const environment = { name: 'staging', production: false, agent, all: [agent] as const, status: {} as AgentStatus }
const REASON = 'Coverage is not complete: run a backfill.'

const show = (next: NextStepAnswer | null, change: Partial<RolloutDetail> = {}, unreachable = false) =>
  render(
    <MemoryRouter>
      <NextStep
        environment={environment}
        detail={
          {
            rollout: 'vehicles',
            next,
            validation: null,
            incidents: [],
            steps: [],
            operations: [],
            flag: { enabled: false },
            actions: [
              { action: 'validation', allowed: true, reasons: [], operationId: null },
              { action: 'baseline', allowed: true, reasons: [], operationId: null },
              { action: 'enable', allowed: false, reasons: [REASON], operationId: null },
            ],
            ...change,
          } as unknown as RolloutDetail
        }
        refresh={() => {}}
        unreachable={unreachable}
      />
    </MemoryRouter>,
  )
const button = (name: string) => screen.getByRole('button', { name })

test('the next step has one sentence and its button', () => {
  show({ step: 'validate', action: 'validation', sentence: 'Runs the checks.', blockedBy: [], unblock: null })
  const section = screen.getByRole('region', { name: 'Next step' })
  expect(section.textContent).toContain('Next: validateRuns the checks.')
  expect(button('Validate').getAttribute('aria-disabled')).not.toBe('true')
})

test('while the agent does not respond, no button of the next step is the primary one', () => {
  const next: NextStepAnswer = { step: 'validate', action: 'validation', sentence: 'x', blockedBy: [], unblock: null }
  show(next, {}, true)
  expect(screen.getByRole('region').textContent).toContain('after the agent responds')
})

test('a failed step says which operation failed, and why, unless a later one succeeded', () => {
  const operation = { id: 6, kind: 'backfill', parameters: {}, state: 'failed', error: '301 of 300,253 rows failed.' }
  const steps = [{ step: 'backfill', state: 'failed', fact: 'failed', at: null }]
  const next: NextStepAnswer = { step: 'backfill', action: 'backfill', sentence: 'x', blockedBy: [], unblock: null }
  const actions = [{ action: 'backfill', allowed: true, reasons: [], operationId: null }]
  const view = show(next, { steps, actions, operations: [operation] } as unknown as Partial<RolloutDetail>)
  expect(screen.getByRole('region').textContent).toContain(
    'Backfill 6 failed: 301 of 300,253 rows failed. No user reads by type: the flag is off',
  )
  expect(screen.getByRole('link').getAttribute('href')).toBe(
    '/a/sti-rollout-app/rollouts/staging/vehicles/operations/6',
  )
  const afterFailure = button('Backfill').className
  view.unmount()
  const later = { ...operation, id: 7, state: 'succeeded', error: null }
  show(next, { steps, actions, operations: [later, operation] } as unknown as Partial<RolloutDetail>)
  expect(screen.getByRole('region').textContent).not.toContain('failed')
  // The cause comes first, so the button is primary only without a failure.
  expect(button('Backfill').className).not.toBe(afterFailure)
})

test('a blocked step says why, and offers what unblocks it', () => {
  show({
    step: 'validate',
    action: 'validation',
    sentence: 'x',
    blockedBy: ['There is no baseline.'],
    unblock: 'baseline',
  })
  expect(screen.getByRole('region').textContent).toContain('blockedThere is no baseline.')
  expect(button('Take baseline').getAttribute('aria-disabled')).not.toBe('true')
})

test('a refused action is disabled, can be reached by keyboard, and shows its reason', async () => {
  show({ step: 'flag', action: 'enable', sentence: 'x', blockedBy: [REASON], unblock: null })
  const refused = button('Enable flag')
  expect(refused.getAttribute('aria-disabled')).toBe('true')
  refused.focus()
  expect(document.activeElement).toBe(refused)
  fireEvent.click(refused)
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('every other action is behind “More actions”, with what it does or why it is refused; an unlisted one is refused', async () => {
  show({ step: 'validate', action: 'validation', sentence: 'x', blockedBy: [], unblock: null })
  fireEvent.click(button('More actions'))
  const entries = (await screen.findByRole('list', { name: 'More actions' })).textContent
  expect(entries).toContain(REASON)
  expect(entries).toContain('Measures every signal')
  expect(button('Backfill').getAttribute('aria-disabled')).toBe('true')
  expect(button('Take baseline').getAttribute('aria-disabled')).not.toBe('true')
})

test('nothing is left to do after the column drop', () => {
  show(null, { stage: 'dropped' })
  expect(screen.getByRole('region').textContent).toContain('The rollout is complete')
})

test('while the column drop is prepared, nothing says that the columns were dropped', () => {
  const { container } = show(null, { stage: 'soaking' } as unknown as Partial<RolloutDetail>)
  expect(container.textContent).toBe('')
})
