import { expect, test } from 'vitest'
import { compileLabelPattern } from './labelPattern.ts'

test.each([
  ['5..', '503', true],
  ['5..', '5034', false],
  ['5..|4(04|29)', '404', true],
  ['5..|4(04|29)', '1404', false],
  ['', '', true],
])('%s of the whole of %s: %s', (pattern, value, matches) => {
  expect(compileLabelPattern(pattern).matches(value)).toBe(matches)
})

test.each(['(', 'a(?=b)', '(a)\\1', '[z-a]'])('%s is refused', (pattern) => {
  expect(() => compileLabelPattern(pattern)).toThrow()
})

// Backtracking would need longer than the age of the universe for each of them.
test.each(['(a+)+b', '(a|a)*b', '(.*)*b', '(a?){50}a{50}b'])('%s stops in linear time', (pattern) => {
  const started = performance.now()
  expect(compileLabelPattern(pattern).matches('a'.repeat(20_000))).toBe(false)
  expect(performance.now() - started).toBeLessThan(5_000)
})
