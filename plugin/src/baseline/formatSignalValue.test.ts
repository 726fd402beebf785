import { expect, test } from 'vitest'
import { formatSignalValue } from './formatSignalValue'

test.each([
  ['api-latency-p95', 0.09781, '97.8 ms'],
  ['query-time', 0.0000905, '90.5 µs'],
  ['api-latency-average', 1.5, '1.5 s'],
  ['api-error-ratio', 0.0004, '0.04 %'],
  ['host-cpu', 0.8, '80 %'],
  ['api-request-rate', 39.94, '39.9 /s'],
  ['queue-depth', 1234567.8, '1,234,568'],
  ['queue-depth', null, '–'],
] as const)('%s of %s reads %s', (signal, value, text) => {
  expect(formatSignalValue(signal, value)).toBe(text)
})
