import { expect, test } from 'vitest'
import { ago, bytes, duration, percent, rows, share } from './numbers'

test('a ratio says 100 % only when it is all', () => {
  expect(percent(0.99999)).toBe('99.9 %')
  expect(percent(1)).toBe('100 %')
  expect(percent(null)).toBe('–')
})

test('a share keeps what a percent rounds away, and loses nothing to floating point', () => {
  expect([0.29, 0.0004, 0.80001, 0.9999999, 1, 0].map(share)).toEqual([
    '29 %',
    '0.04 %',
    '80.001 %',
    '99.999 %',
    '100 %',
    '0 %',
  ])
})

test('durations carry two units at most', () => {
  expect([0.42, 42, 185, 7800, 273_600, null].map(duration)).toEqual([
    '0.4 s',
    '42 s',
    '3 min 5 s',
    '2 h 10 min',
    '3 d 4 h',
    '–',
  ])
})

test('ago is coarse', () => {
  expect(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:05Z'))).toBe('3 min ago')
  expect(ago(null)).toBe('never')
})

test('counts and bytes', () => {
  expect(rows(1234567)).toBe('1,234,567')
  expect(bytes(12_900_000)).toBe('12.3 MiB')
})
