import { expect, test } from 'vitest'
import { assessFitness } from './baselineFitness.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const context = { rollout: 'vehicles', environment: 'staging', fileHash: 'f', sourcesHash: 's', now }
const ownBaseline = { rollout: 'vehicles', environment: 'staging', fileHash: 'f', sourcesHash: 's', release: null }
const freshBaseline = { ...ownBaseline, endedAt: '2026-03-01T11:00:00Z' }

test('a baseline of the same file has no note', () => {
  expect(assessFitness(freshBaseline, context)).toEqual({ warnings: [], unusable: [] })
})

test.each([
  ['another version of the file is noted', { fileHash: 'other' }, 1, 0],
  ['other sources are not comparable', { fileHash: 'other', sourcesHash: 'other' }, 0, 1],
  ['another environment is not comparable', { environment: 'production' }, 0, 1],
  ['another rollout is not comparable', { rollout: 'orders' }, 0, 1],
  ['an age of one week has no note', { endedAt: '2026-02-22T13:00:00Z' }, 0, 0],
  ['an age of eight days is noted', { endedAt: '2026-02-21T11:00:00Z' }, 1, 0],
  ['an age of one month is not comparable', { endedAt: '2026-01-29T11:00:00Z' }, 0, 1],
  ['a time in the future is noted', { endedAt: '2026-03-02T12:00:00Z' }, 1, 0],
])('%s', (_, change, warnings, unusable) => {
  const found = assessFitness({ ...freshBaseline, ...change }, context)
  expect([found.warnings.length, found.unusable.length]).toEqual([warnings, unusable])
})
