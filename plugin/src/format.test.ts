import { expect, test } from 'vitest'
import { formatTimeAgo, formatBytes, formatDuration, formatPercent, formatCount, formatExactPercent } from './format'

test('a ratio says 100 % only when it is all', () => {
  expect(formatPercent(0.99999)).toBe('99.9 %')
  expect(formatPercent(1)).toBe('100 %')
  expect(formatPercent(null)).toBe('–')
})

test('a share keeps what a percent rounds away, and loses nothing to floating point', () => {
  expect([0.29, 0.0004, 0.80001, 0.9999999, 1, 0].map(formatExactPercent)).toEqual([
    '29 %',
    '0.04 %',
    '80.001 %',
    '99.999 %',
    '100 %',
    '0 %',
  ])
})

test('durations carry two units at most', () => {
  expect([0.42, 42, 185, 7800, 273_600, null].map(formatDuration)).toEqual([
    '0.4 s',
    '42 s',
    '3 min 5 s',
    '2 h 10 min',
    '3 d 4 h',
    '–',
  ])
})

test('ago is coarse', () => {
  expect(formatTimeAgo('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:05Z'))).toBe('3 min ago')
  expect(formatTimeAgo(null)).toBe('never')
})

test('counts and bytes', () => {
  expect(formatCount(1234567)).toBe('1,234,567')
  expect(formatBytes(12_900_000)).toBe('12.3 MiB')
})
