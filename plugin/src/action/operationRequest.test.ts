import { OPERATION_ACTIONS, type OperationAction, OperationKind, OperationRequest } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { DEFAULT_OPERATION_OPTIONS, type OperationOptions, toOperationRequest } from './operationRequest'

const operationActions = Object.keys(OPERATION_ACTIONS) as OperationAction[]

test.each(operationActions)('%s sends a request that the contract accepts without changes', (action) => {
  const request = toOperationRequest(
    action,
    'staging',
    { ...DEFAULT_OPERATION_OPTIONS, batchSize: 500, typed: 'vehicles' },
    ' because ',
  )
  const parsed = OperationRequest.parse(request)
  expect(parsed).toMatchObject({ environment: 'staging', reason: 'because' })
  expect(parsed.parameters).toMatchObject(request.parameters as object)
})

test('every kind of operation has an action that starts it', () => {
  const kinds = operationActions.map(
    (action) => toOperationRequest(action, 'staging', DEFAULT_OPERATION_OPTIONS, '').kind,
  )
  expect([...new Set(kinds)].sort()).toEqual([...OperationKind.options].sort())
})

test('an empty reason and an empty batch size are omitted from the request', () => {
  const request = toOperationRequest('backfill', 'staging', DEFAULT_OPERATION_OPTIONS, '  ')
  expect(request).not.toHaveProperty('reason')
  expect(request.parameters).not.toHaveProperty('batchSize')
})

test('all layers are a full validation; single checks are added to a selection of layers', () => {
  const parametersOf = (options: Partial<OperationOptions>) =>
    toOperationRequest('validation', 'staging', { ...DEFAULT_OPERATION_OPTIONS, ...options }, '').parameters
  expect(parametersOf({})).toEqual({ full: true })
  expect(parametersOf({ layers: ['system'], checks: ['coverage'] })).toEqual({
    full: false,
    layers: ['system'],
    checks: ['coverage'],
  })
  expect(parametersOf({ layers: [], checks: ['coverage'] })).toEqual({ full: false, checks: ['coverage'] })
})

test('the flag is enabled at once for a percentage, or in the steps of the rollout file', () => {
  const parametersOf = (options: Partial<OperationOptions>) =>
    toOperationRequest('enable', 'staging', { ...DEFAULT_OPERATION_OPTIONS, ...options }, '').parameters
  expect(parametersOf({ percentage: 10 })).toEqual({ enabled: true, percentage: 10, ramp: false, force: false })
  expect(parametersOf({ percentage: 10, ramp: true })).toEqual({
    enabled: true,
    percentage: 100,
    ramp: true,
    force: false,
  })
})

test('changes made by others are overwritten only with force', () => {
  const parametersOf = (force: boolean) =>
    toOperationRequest('rollback-system', 'staging', { ...DEFAULT_OPERATION_OPTIONS, force }, '').parameters
  expect(parametersOf(false)).not.toHaveProperty('force')
  expect(parametersOf(true)).toMatchObject({ scope: 'system', force: true })
})
