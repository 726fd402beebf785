import { describe, expect, test } from 'vitest'
import { formatValue } from '../format/format.ts'
import { compileRollout } from '../rollout/compileRollout.ts'
import { listChecks } from './layers.ts'

const FILE = `rollout: vehicles
table: public.vehicles
types:
  - { name: Truck, when: is_truck, restore: { is_truck: true } }
otherwise: { name: Car, restore: { is_truck: false } }
legacyColumns: [is_truck]
flag: { key: vehicles-sti }
validation: { every: 7d, requires: [integrity] }
checks:
  # The rollout file may give a check the name of a built-in one.
  - { name: coverage, request: { url: 'http://127.0.0.1:1/' } }
  - { name: rule, violations: select id from public.vehicles }
`

describe('a check declares its unit, and its value is shown in it', () => {
  const checks = listChecks(compileRollout('rollout.yaml', FILE).rollout!)

  test.each([
    ['coverage', 'integrity', 0.9999999, '99.9%'],
    ['coverage', 'integrity', 1, '100%'],
    ['coverage', 'business', 200, '200'],
    ['rule', 'business', 1001, '1,001'],
    ['type-matches-legacy', 'integrity', 1234567, '1,234,567'],
    ['error-ratio', 'system', 0.0004, '0.04%'],
    ['cpu', 'system', 0.93, '93%'],
    ['api-error-ratio', 'performance', 0.0004, '0.04%'],
    ['api-latency-p95', 'performance', 1.04321, '1.04×'],
    ['database-query-time-each', 'performance', 1.04321, '1.04×'],
    ['long-transactions', 'system', 185, '3 min 5 s'],
    ['replication-lag', 'system', 12_900_000, '12.3 MiB'],
    ['replication-slots', 'system', 5_368_709_120, '5 GiB'],
    ['signals', 'system', 0.0042, '0.0042'],
    ['archiver', 'system', null, '–'],
  ] as const)('%s of layer %s shows %s as %s', (name, layer, value, text) => {
    const check = checks.find((candidate) => candidate.name === name && candidate.layer === layer)!
    expect(formatValue(value, check.unit)).toBe(text)
  })
})
