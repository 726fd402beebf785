import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { newestPartialValidation } from './PartialValidation'

const operation = (kind: string, validation?: number, state = 'succeeded') => ({ kind, state, result: { validation } })
const detail = (operations: object[], full: number | null) =>
  ({ operations, validation: full === null ? null : { id: full } }) as unknown as RolloutDetail

test('a partial validation is one that is newer than the full one', () => {
  expect(
    newestPartialValidation(detail([operation('flag'), operation('validation', 5), operation('validation', 4)], 4)),
  ).toBe(5)
  expect(newestPartialValidation(detail([operation('validation', 4)], 4))).toBeNull()
  expect(
    newestPartialValidation(detail([operation('validation', undefined, 'running'), operation('validation', 4)], 4)),
  ).toBeNull()
  expect(newestPartialValidation(detail([operation('validation', 5)], null))).toBeNull()
})
