import { TYPE_CHECK, type RolloutDetail, type VitalSign } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { toVital } from './vitalSign'

const failedRows: VitalSign = {
  name: 'failed-rows',
  unit: 'count',
  value: 0,
  limit: 300,
  baseline: null,
  state: 'ok',
  detail: null,
}
const validation = (discrepancies: number) =>
  ({ checks: [{ check: TYPE_CHECK, discrepancies }] }) as unknown as RolloutDetail['validation']

test.each([
  [null, 'budget 300', 'good'],
  [validation(0), 'budget 300', 'good'],
  [validation(3), '3 rows with a wrong type, budget 300', 'bad'],
] as const)('no failed rows: rows with a wrong type are named beside them', (latest, note, tone) => {
  expect(toVital(failedRows, latest)).toMatchObject({ value: '0', note, tone })
})

test('other readings do not name the rows', () => {
  const errors: VitalSign = { ...failedRows, name: 'api-error-ratio', unit: 'ratio', limit: 0.001 }
  expect(toVital(errors, validation(3))).toMatchObject({ note: 'limit 0.1%', tone: 'good' })
})
