import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { newestPartialValidation } from './PartialValidation'

const operation = (kind: string, validation?: number, state = 'succeeded') => ({ kind, state, result: { validation } })
const detail = (operations: object[], whole: number | null) =>
  ({ operations, validation: whole === null ? null : { id: whole } }) as unknown as RolloutDetail

test('a validation of a part is one that is younger than the whole one', () => {
  expect(
    newestPartialValidation(detail([operation('flag'), operation('validation', 5), operation('validation', 4)], 4)),
  ).toBe(5)
  expect(newestPartialValidation(detail([operation('validation', 4)], 4))).toBeNull()
  expect(
    newestPartialValidation(detail([operation('validation', undefined, 'running'), operation('validation', 4)], 4)),
  ).toBeNull()
  expect(newestPartialValidation(detail([operation('validation', 5)], null))).toBeNull()
})
