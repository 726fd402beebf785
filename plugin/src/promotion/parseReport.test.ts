import { expect, test } from 'vitest'
import { parseReport } from './parseReport'

const report = {
  format: 'sti-report/1',
  environment: 'staging',
  rollout: 'vehicles',
  validation: { verdict: 'pass', endedAt: '2026-11-26T10:00:00Z' },
}

test('a report shows its origin before it is submitted', () => {
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

test('a file that is not a report is refused with a hint', () => {
  expect(() => parseReport('# Report')).toThrow('downloaded as JSON')
  expect(() => parseReport('{"rollout":"vehicles"}')).toThrow('not a report')
  expect(() => parseReport('null')).toThrow('not a report')
})
