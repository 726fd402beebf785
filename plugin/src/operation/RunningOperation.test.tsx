import { render, screen } from '@testing-library/react'
import type { Operation } from '@sti-rollout/agent/contract'
import React from 'react'
import { MemoryRouter } from 'react-router-dom'
import { expect, test } from 'vitest'
import type { Environment } from '../agent/useEnvironment'
import { RunningOperation } from './RunningOperation'

const progress = {
  ratio: 0.25,
  processedRows: 250,
  totalRows: 1000,
  writtenRows: 250,
  failedRows: 0,
  throttled: null,
  rowsPerSecond: 10,
  remainingSeconds: 75,
  batchRows: 10,
  batchSeconds: 0.1,
  retries: {},
}

const renderOperation = (changed: Partial<Operation>) => {
  const operation = { id: 7, kind: 'backfill', rollout: 'vehicles', parameters: {}, error: null, progress, ...changed }
  render(
    <MemoryRouter>
      <RunningOperation
        environment={{ name: 'staging' } as Environment}
        operation={operation as Operation}
        actions={[]}
        onChanged={() => undefined}
      />
    </MemoryRouter>,
  )
  return screen.getByRole('region', { name: 'Backfill 7' }).textContent
}

test('a running operation shows its rate and the time left', () => {
  expect(renderOperation({ state: 'running', step: 'writing types' })).toMatch(
    /600 rows\/min.*1 min 15 s left.*writing types/,
  )
})

test('a paused operation has no rate and no remaining time, and shows how to continue', () => {
  const text = renderOperation({ state: 'paused', step: 'writing types' })
  expect(text).toContain('250 / 1,000 rows')
  expect(text).toContain('continues from here when you resume it')
  for (const absent of ['rows/min', 'left', 'writing types']) expect(text).not.toContain(absent)
})
