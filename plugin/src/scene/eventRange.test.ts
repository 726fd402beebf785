import type { Incident } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { eventRange } from './eventRange'

const incident = (rule: string, openedAt: string) => ({ rule, openedAt }) as Incident
const list = [
  incident('StiApiErrorsHigh', '2026-03-01T12:00:00.000Z'),
  incident('StiApiErrorsHigh', '2026-03-02T12:00:00.000Z'),
  incident('StiHostUsageHigh', '2026-03-03T12:00:00.000Z'),
]

test('the link of an alert shows the time around its newest incident, until now if that is sooner', () => {
  const later = Date.parse('2026-03-04T00:00:00Z')
  const around = { from: '2026-03-02T11:50:00.000Z', to: '2026-03-02T12:20:00.000Z' }
  expect(eventRange('StiApiErrorsHigh', list, later)).toEqual(around)
  expect(eventRange('StiApiErrorsHigh', list, Date.parse('2026-03-02T12:01:00Z'))).toEqual({ ...around, to: 'now' })
  for (const rule of [null, 'StiAgentDown'])
    expect(eventRange(rule, list, later)).toEqual({ from: 'now-15m', to: 'now' })
})
