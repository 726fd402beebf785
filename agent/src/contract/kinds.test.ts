import { expect, test } from 'vitest'
import {
  Action,
  OPERATION_ACTIONS,
  OperationRequest,
  operationTitle,
  requestedAction,
  requiredRights,
  writesTable,
  type OperationAction,
} from './index.ts'

const actions = Object.keys(OPERATION_ACTIONS) as OperationAction[]
const requestFor = (action: OperationAction) => {
  const { kind, parameters } = OPERATION_ACTIONS[action]
  return OperationRequest.parse({ kind, environment: 'staging', parameters })
}

test.each(actions)('the declared parameters of %s start this action, and its right is required', (action) => {
  const request = requestFor(action)
  expect(requestedAction(request)).toBe(action)
  expect(requiredRights(request)).toContain(action)
  expect(Action.options).toContain(action)
})

test('parameters that start more than their action require more rights', () => {
  const rights = (kind: string, parameters: Record<string, unknown>) =>
    new Set(requiredRights(OperationRequest.parse({ kind, environment: 'staging', parameters })))
  expect(rights('backfill', { enableMonitoring: true, rollbackOnError: 'data' })).toEqual(
    new Set(['backfill', 'monitoring', 'rollback-data']),
  )
  expect(rights('flag', { enabled: true, ramp: true, force: true })).toEqual(new Set(['enable', 'ramp', 'force']))
  expect(rights('flag', { enabled: false })).toEqual(new Set(['disable']))
  expect(rights('rollback', { scope: 'system', force: true })).toEqual(new Set(['rollback-system', 'force']))
  expect(rights('monitoring', { enabled: false })).toContain('rollback-monitoring')
  expect(rights('archive-removal', { force: true })).toEqual(new Set(['remove-archive', 'force']))
})

test('one operation at a time writes the table; the others run alongside it', () => {
  const writers = actions.filter((action) => writesTable(requestFor(action)))
  expect(writers).toEqual([
    'expand',
    'backfill',
    'retry-failed-rows',
    'finalize',
    'rollback-data',
    'rollback-system',
    'prepare-column-drop',
    'remove-archive',
  ])
})

test('a title describes what an operation does', () => {
  const title = (kind: 'flag' | 'rollback' | 'backfill', parameters: Record<string, unknown>) =>
    operationTitle({ kind, parameters })
  expect(title('backfill', {})).toBe('Backfill')
  expect(title('flag', { enabled: true, percentage: 10 })).toBe('Flag on for 10%')
  expect(title('rollback', { scope: 'system' })).toBe('Rollback of the system')
})
