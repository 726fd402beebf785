import { expect, test } from 'vitest'
import { parseReport } from './parseReport'

const report = {
  format: 'sti-report/1',
  environment: 'staging',
  rollout: 'vehicles',
  validation: { verdict: 'pass', endedAt: '2026-11-26T10:00:00Z' },
}

test('a report says where it is from before it is handed in', () => {
  const value = { report, hash: 'h', signature: 'a.b.c' }
  expect(parseReport(JSON.stringify(value))).toEqual({
    value,
    environment: 'staging',
    rollout: 'vehicles',
    verdict: 'pass',
    validatedAt: '2026-11-26T10:00:00Z',
    signed: true,
  })
  expect(parseReport(JSON.stringify({ report: { ...report, validation: null }, signature: null }))).toMatchObject({
    verdict: null,
    signed: false,
  })
})

test('a file that is no report says what would be one', () => {
  expect(() => parseReport('# Report')).toThrow('downloaded as JSON')
  expect(() => parseReport('{"rollout":"vehicles"}')).toThrow('no report')
  expect(() => parseReport('null')).toThrow('no report')
})
