import { describe, expect, test } from 'vitest'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatQuantity,
  formatValue,
  UNITS,
} from './format.ts'

describe('values have the format that users see', () => {
  test.each([
    [0, '0%'],
    [0.00042, '0.042%'],
    [0.001, '0.1%'],
    [0.136, '13.6%'],
    [0.99999, '99.9%'],
    [1, '100%'],
    [1.5, '150%'],
  ])('the ratio %d is %s', (ratio, text) => expect(formatPercent(ratio)).toBe(text))

  test.each([
    [0, '0 s'],
    [0.00042, '0.42 ms'],
    [0.0042, '4.2 ms'],
    [0.85, '850 ms'],
    [0.9999, '1 s'],
    [3.21, '3.2 s'],
    [59.97, '1 min'],
    [250, '4 min 10 s'],
    [7500, '2 h 5 min'],
    [273_600, '3 d 4 h'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text))

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [64 * 1024 ** 2, '64 MiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test.each([
    [0, '0'],
    [0.0042, '0.0042'],
    [0.25, '0.25'],
    [12.345, '12.35'],
    [1234567.8, '1,234,568'],
  ])('the count %d is %s', (count, text) => expect(formatCount(count)).toBe(text))

  test('one row is no rows', () => {
    expect(formatQuantity(1, 'row')).toBe('1 row')
    expect(formatQuantity(1204, 'row')).toBe('1,204 rows')
    expect(formatQuantity(2, 'query', 'queries')).toBe('2 queries')
  })

  test('a time is relative to now, in its largest unit', () => {
    const now = Date.parse('2026-01-01T12:00:00Z')
    expect(formatAgo('2026-01-01T11:59:58Z', now)).toBe('just now')
    expect(formatAgo('2026-01-01T11:56:50Z', now)).toBe('3 min ago')
    expect(formatAgo(null, now)).toBe('never')
  })

  test.each(UNITS)('an unknown value is a dash in %s, and never NaN', (unit) => {
    expect(formatValue(null, unit)).toBe('–')
    expect(formatValue(NaN, unit)).toBe('–')
    expect(formatValue(1, unit)).not.toContain('NaN')
  })
})
