import { OperationRequest } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import {
  type OperationOptions,
  DEFAULT_OPERATION_OPTIONS,
  OPERATION_ACTIONS,
  type OperationAction,
  toOperationRequest,
} from './actionCatalog'

test.each(Object.keys(OPERATION_ACTIONS) as OperationAction[])(
  '%s sends a request that the contract takes as it is',
  (start) => {
    const request = toOperationRequest(
      start,
      'staging',
      { ...DEFAULT_OPERATION_OPTIONS, batchSize: 500, typed: 'vehicles' },
      ' because ',
    )
    const parsed = OperationRequest.parse(request)
    expect(parsed).toMatchObject({ environment: 'staging', reason: 'because' })
    expect(parsed.parameters).toMatchObject(request.parameters as object)
  },
)

test('no reason is no field, and no batch size leaves it to the feedback', () => {
  const request = toOperationRequest('backfill', 'staging', DEFAULT_OPERATION_OPTIONS, '  ')
  expect(request).not.toHaveProperty('reason')
  expect(request.parameters).not.toHaveProperty('batchSize')
})

test('every layer is the whole validation; of fewer, single checks come on top', () => {
  const sent = (choices: Partial<OperationOptions>) =>
    toOperationRequest('validation', 'staging', { ...DEFAULT_OPERATION_OPTIONS, ...choices }, '').parameters
  expect(sent({})).toEqual({ full: true })
  expect(sent({ layers: ['system'], checks: ['coverage'] })).toEqual({
    full: false,
    layers: ['system'],
    checks: ['coverage'],
  })
  expect(sent({ layers: [], checks: ['coverage'] })).toEqual({ full: false, checks: ['coverage'] })
})

test('the flag goes on at once for a percentage, or in the steps of the file', () => {
  const sent = (choices: Partial<OperationOptions>) =>
    toOperationRequest('enable', 'staging', { ...DEFAULT_OPERATION_OPTIONS, ...choices }, '').parameters
  expect(sent({ percentage: 10 })).toEqual({ enabled: true, percentage: 10, ramp: false, force: false })
  expect(sent({ percentage: 10, ramp: true })).toEqual({ enabled: true, percentage: 100, ramp: true, force: false })
})

test('changes of somebody else are taken back only by force', () => {
  const sent = (force: boolean) =>
    toOperationRequest('rollback-system', 'staging', { ...DEFAULT_OPERATION_OPTIONS, force }, '').parameters
  expect(sent(false)).not.toHaveProperty('force')
  expect(sent(true)).toMatchObject({ scope: 'system', force: true })
})
