import type { OperationEvent } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { addEvent } from './useOperationStream'

const event = (id: number) => ({ id }) as OperationEvent

test('events are ordered newest first and kept once, also when a stream starts again', () => {
  const ids = [1, 2, 3, 1, 2, 3, 5, 4].reduce<readonly OperationEvent[]>((list, id) => addEvent(list, event(id)), [])
  expect(ids.map(({ id }) => id)).toEqual([5, 4, 3, 2, 1])
})
