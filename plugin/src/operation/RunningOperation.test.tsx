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
  return screen.getAllByRole('region')[0]!.textContent
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

test('an operation that has ended has no rate and no remaining time', () => {
  const text = renderOperation({ state: 'succeeded', step: null })
  for (const absent of ['rows/min', 'left', 'Waiting']) expect(text).not.toContain(absent)
})

test('an operation that waits has no rate and no remaining time, says why, and that nobody has to do anything', () => {
  const text = renderOperation({
    state: 'running',
    progress: { ...progress, throttled: 'lag: a replica is 9 s behind' },
  })
  expect(text).toContain('Waiting: lag: a replica is 9 s behind. The agent continues automatically.')
  for (const absent of ['running', 'rows/min', 'left']) expect(text).not.toContain(absent)
})

test('a step of a ramp shows requests with the flag on against those with it off, with the intervals', () => {
  const comparison = {
    on: { requests: 1_204, failed: 2, latency: 0.00513 },
    off: { requests: 1_190, failed: 1, latency: 0.005 },
    seconds: 60,
    latency: { verdict: 'inconclusive', value: 1.026, between: [0.95, 1.108], probability: 1, detail: 'x' },
    errors: { verdict: 'pass', value: 0.0008, between: [-0.002, 0.004], probability: 1, detail: 'y' },
    missingSeconds: 840,
  }
  const ramp = {
    step: 1,
    steps: [50, 100],
    percentage: 50,
    heldSeconds: 60,
    holdSeconds: 60,
    verdict: null,
    why: [],
    comparison,
  }
  const text = renderOperation({
    kind: 'flag',
    state: 'running',
    parameters: { enabled: true, ramp: true },
    progress: { ...progress, ramp } as Operation['progress'],
  })
  expect(text).toMatch(/Flag on1,204.*5\.13 ms.*0\.166%/)
  expect(text).toMatch(/Flag off \(control group\)1,190.*5\.00 ms/)
  expect(text).toContain('1.03× (95% confidence 0.95× to 1.11×)')
  expect(text).toContain('+0.08% (95% confidence -0.2% to +0.4%)')
  expect(text).toContain('About 14 min more at this traffic')
})
