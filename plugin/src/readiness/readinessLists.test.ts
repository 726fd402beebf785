import type { ReadinessItem, ReadinessList, ReadinessState } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { countItems, formatReadinessCount } from './readinessLists'

const item = (state: ReadinessState, ...lists: ReadinessList[]) => ({ state, lists }) as ReadinessItem
const items = [item('ready', 'staging'), item('unknown', 'staging'), item('not-ready', 'staging', 'team')]

test('unknown items are counted separately and never as ready', () => {
  expect(formatReadinessCount(countItems(items, 'staging'))).toBe('1 of 3, 1 unknown')
})

test('an item counts for every list it is in', () => {
  expect(formatReadinessCount(countItems(items, 'team'))).toBe('0 of 1')
  expect(formatReadinessCount(countItems(items, 'success'))).toBe('0 of 0')
})
