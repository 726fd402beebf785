import type { AllowedAction } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { refusalReasons } from './refusalReasons'

const allowed = (action: AllowedAction['action'], reasons: string[] | null) => ({
  action,
  allowed: reasons === null,
  reasons: reasons ?? [],
  operationId: null,
})

test('an action is allowed only if the agent allows it', () => {
  const actions = [allowed('backfill', null), allowed('enable', ['Coverage is not complete.']), allowed('finalize', [])]
  expect(refusalReasons({ actions }, 'backfill')).toEqual([])
  expect(refusalReasons({ actions }, 'enable')).toEqual(['Coverage is not complete.'])
  expect(refusalReasons({ actions }, 'finalize')).toHaveLength(1)
  expect(refusalReasons({ actions }, 'rollback-data')).toHaveLength(1)
})
