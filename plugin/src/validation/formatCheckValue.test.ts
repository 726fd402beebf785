import { expect, test } from 'vitest'
import { formatCheckValue } from './formatCheckValue'

test.each([
  ['coverage', 'integrity', 0.9999999, '99.999 %'],
  ['coverage', 'integrity', 1, '100 %'],
  ['error-ratio', 'system', 0.0004, '0.04 %'],
  ['api-latency-p95', 'performance', 1.04321, '1.043 ×'],
  ['long-transactions', 'system', 185, '3 min 5 s'],
  ['replication-lag', 'system', 12_900_000, '12.3 MiB'],
  ['type-matches-legacy', 'integrity', 1234567, '1,234,567'],
  // The rollout file may call a rule of its own as it likes.
  ['coverage', 'business', 200, '200'],
  ['nobody-knows', 'system', 0.99999, '0.999'],
  ['archiver', 'system', null, '–'],
] as const)('%s of the layer %s: %s reads %s', (check, layer, value, text) => {
  expect(formatCheckValue({ check, layer }, value)).toBe(text)
})
