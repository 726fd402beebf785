import { expect, test } from 'vitest'
import { assessFitness } from './baselineFitness.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const context = { rollout: 'vehicles', environment: 'staging', fileHash: 'f', sourcesHash: 's', now }
const ownBaseline = { rollout: 'vehicles', environment: 'staging', fileHash: 'f', sourcesHash: 's', release: null }
const freshBaseline = { ...ownBaseline, endedAt: '2026-03-01T11:00:00Z' }

test('its own says nothing', () => {
  expect(assessFitness(freshBaseline, context)).toEqual({ warnings: [], unusable: [] })
})

test.each([
  ['another version of the file is said', { fileHash: 'other' }, 1, 0],
  ['other sources cannot be judged by', { fileHash: 'other', sourcesHash: 'other' }, 0, 1],
  ['another environment cannot be judged by', { environment: 'production' }, 0, 1],
  ['another rollout cannot be judged by', { rollout: 'orders' }, 0, 1],
  ['a week old is as it should be', { endedAt: '2026-02-22T13:00:00Z' }, 0, 0],
  ['eight days are said', { endedAt: '2026-02-21T11:00:00Z' }, 1, 0],
  ['a month cannot be judged by', { endedAt: '2026-01-29T11:00:00Z' }, 0, 1],
  ['the future is said', { endedAt: '2026-03-02T12:00:00Z' }, 1, 0],
])('%s', (_, change, warnings, unusable) => {
  const found = assessFitness({ ...freshBaseline, ...change }, context)
  expect([found.warnings.length, found.unusable.length]).toEqual([warnings, unusable])
})
