import { expect, test } from 'vitest'
import { formatSignalValue } from './formatSignalValue'

test.each([
  ['api-latency-p95', 0.09781, '98 ms'],
  ['query-time', 0.000095, '0.095 ms'],
  ['api-latency-average', 1.5, '1.5 s'],
  ['api-error-ratio', 0.0004, '0.04%'],
  ['host-cpu', 0.8, '80%'],
  ['api-request-rate', 39.94, '39.94/s'],
  ['queue-depth', 1234567.8, '1,234,568'],
  ['queue-depth', null, '–'],
] as const)('%s of %s is shown as %s', (signal, value, text) => {
  expect(formatSignalValue(signal, value)).toBe(text)
})
