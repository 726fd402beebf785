import type { OperationEvent } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { toAnnotations, toEventTable } from './eventFrames'

const event = (id: number, kind: string, reason: string | null = null): OperationEvent => ({
  id,
  operationId: 7,
  rollout: 'vehicles',
  at: `2026-01-01T00:00:0${id}Z`,
  kind,
  message: `${kind} ${id}`,
  actor: { name: 'ada', level: 'editor', via: 'grafana' },
  reason,
  before: null,
  after: null,
  hash: '',
})

test('state and flag changes are annotations at one point in time; batches are not', () => {
  const frame = toAnnotations([event(1, 'state'), event(2, 'batch'), event(3, 'flag', 'errors'), event(4, 'baseline')])
  const column = (name: string) => frame.fields.find((field) => field.name === name)?.values
  expect(column('title')).toEqual(['state 1', 'flag 3', 'baseline 4'])
  expect(column('timeEnd')).toEqual(column('time'))
  expect(column('text')).toEqual(['vehicles · by ada', 'vehicles · by ada · errors', 'vehicles · by ada'])
})

test('the table shows every event, newest first', () => {
  expect(toEventTable([event(1, 'state'), event(2, 'batch')], 'A').fields[3]?.values).toEqual(['batch 2', 'state 1'])
})
