import { expect, test } from 'vitest'
import { formatCheckValue } from './formatCheckValue'

test.each([
  ['coverage', 'integrity', 0.9999999, '99.9%'],
  ['coverage', 'integrity', 1, '100%'],
  ['error-ratio', 'system', 0.0004, '0.04%'],
  ['api-latency-p95', 'performance', 1.04321, '1.04×'],
  ['long-transactions', 'system', 185, '3 min 5 s'],
  ['replication-lag', 'system', 12_900_000, '12.3 MiB'],
  ['type-matches-legacy', 'integrity', 1234567, '1,234,567'],
  // The rollout file may give a business rule any name, also that of a check of another layer.
  ['coverage', 'business', 200, '200'],
  ['unknown-check', 'system', 12.5, '12.5'],
  ['archiver', 'system', null, '–'],
] as const)('%s of the layer %s: %s is shown as %s', (check, layer, value, text) => {
  expect(formatCheckValue({ check, layer }, value)).toBe(text)
})
