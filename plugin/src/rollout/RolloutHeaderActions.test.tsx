import { fireEvent, render, screen } from '@testing-library/react'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { MemoryRouter } from 'react-router-dom'
import { expect, test } from 'vitest'
import type { Environment } from '../agent/useEnvironment'
import { RolloutHeaderActions } from './RolloutHeaderActions'

const renderActions = (stage: RolloutDetail['stage']) =>
  render(
    <MemoryRouter>
      <RolloutHeaderActions
        environment={{ name: 'staging' } as Environment}
        detail={
          {
            rollout: 'vehicles',
            stage,
            flag: { enabled: true, percentage: 100 },
            automaticRollback: { armed: true, scopes: ['flag'], pathLive: true },
            actions: [],
          } as unknown as RolloutDetail
        }
        refresh={() => undefined}
      />
    </MemoryRouter>,
  )

test('while the flag is on, its rollback is a button of its own', () => {
  renderActions('enabled')
  expect(screen.getByRole('button', { name: 'Roll back flag' })).toBeTruthy()
})

test('after the column drop, when the flag is no way back, its rollback is an entry of the list', async () => {
  renderActions('dropped')
  expect(screen.queryByRole('button', { name: 'Roll back flag' })).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'More' }))
  expect(await screen.findByRole('button', { name: 'Roll back flag' })).toBeTruthy()
})
