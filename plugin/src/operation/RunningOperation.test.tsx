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

const show = (more: Partial<Operation>) => {
  const operation = { id: 7, kind: 'backfill', rollout: 'vehicles', parameters: {}, error: null, progress, ...more }
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

test('what runs says how fast and how long', () => {
  expect(show({ state: 'running', step: 'writing types' })).toMatch(/600 rows\/min.*1 min 15 s left.*writing types/)
})

test('what stands has no rate and no end, and says how it goes on', () => {
  const text = show({ state: 'paused', step: 'writing types' })
  expect(text).toContain('250 / 1,000 rows')
  expect(text).toContain('goes on from here when it is resumed')
  for (const gone of ['rows/min', 'left', 'writing types']) expect(text).not.toContain(gone)
})
