import { expect, test } from 'vitest'
import { compileRollout } from './compileRollout.ts'
import type { Rollout } from './rollout.ts'

const FILE = `rollout: vehicles
table: vehicles
types:
  - { name: Truck, when: is_truck, restore: { is_truck: true, is_bike: false } }
  - { name: Bike, when: is_bike, restore: { is_truck: false, is_bike: true } }
otherwise: { name: Car, restore: { is_truck: false, is_bike: false } }
legacyColumns: [is_truck, is_bike]
flag: { key: vehicles-sti }
contacts: [{ role: Lead, name: Ada, phone: '+41 1 222', escalateAfter: 5m }]
`

function compile(text: string): Rollout {
  const { rollout, faults } = compileRollout('f.yaml', text)
  expect(faults).toEqual([])
  return rollout!
}

const edited = (from: string, to: string): string => {
  expect(FILE).toContain(from)
  return FILE.replace(from, to)
}

test.each([
  ['table', edited('table: vehicles', 'table: app.vehicles')],
  ['name of a type', edited('name: Bike', 'name: Cycle')],
  ['when', edited('when: is_truck', 'when: is_truck and not is_bike')],
  [
    'order of types',
    edited('when: is_truck', 'when: is_bike').replace(
      'when: is_bike, restore: { is_truck: false',
      'when: is_truck, restore: { is_truck: false',
    ),
  ],
  [
    'restore',
    edited(
      'name: Car, restore: { is_truck: false, is_bike: false',
      'name: Car, restore: { is_truck: false, is_bike: null',
    ),
  ],
  ['discriminator', `${FILE}discriminator: { column: kind }\n`],
  ['data type', `${FILE}discriminator: { dataType: varchar }\n`],
  ['otherwise', edited('name: Car', 'name: Van')],
  ['dualWrite', `${FILE}dualWrite: application\n`],
  ['conflicts', `${FILE}conflicts: legacy\n`],
  ['constraint', `${FILE}constraint: notNull\n`],
  ['prefill', `${FILE}prefill: majority\n`],
  ['publication', `${FILE}publication: subscriber-ready\n`],
  ['triggers', `${FILE}triggers: { audit: harmless }\n`],
])('an edit of what derives changes the derivation: %s', (_, text) => {
  expect(compile(text).derivationHash).not.toBe(compile(FILE).derivationHash)
})

test.each([
  ['contacts', edited('222', '333')],
  ['limits', `${FILE}limits: { errorRatio: 0.002 }\n`],
  ['throttle', `${FILE}throttle: { lockWaiters: { pause: 3 } }\n`],
  ['api', `${FILE}api: { histogram: { url: "http://a/metrics", name: http_seconds } }\n`],
  ['host', `${FILE}host: { promql: { cpu: a, memory: a, disk: a, diskOperations: a, network: a } }\n`],
  ['signals', `${FILE}signals: [{ name: depth, promql: depth, limit: 3 }]\n`],
  ['checks', `${FILE}checks: [{ name: none, violations: select 1 }]\n`],
  ['soak', `${FILE}soak: 3d\n`],
  ['flag', edited('key: vehicles-sti', 'key: vehicles-sti, ramp: [5, 100], hold: 1m')],
  ['validation', `${FILE}validation: { every: 2h, requires: [integrity] }\n`],
  ['promotion', `${FILE}promotion: { from: staging }\n`],
  ['rehearsal', `${FILE}rehearsal: { every: 3d }\n`],
  ['migration', `${FILE}migration: { template: plain }\n`],
  ['backup', `${FILE}backup: { maxAge: 3d }\n`],
  ['errorBudget', `${FILE}errorBudget: 0.5\n`],
  ['automaticRollback', `${FILE}automaticRollback: []\n`],
  ['a comment', `# for the team\n${FILE}`],
  ['the formatting of YAML', edited('legacyColumns: [is_truck, is_bike]', 'legacyColumns:\n  - is_truck\n  - is_bike')],
  ['the formatting of an expression', edited('when: is_truck', 'when: " is_truck  /* as in 2019 */ "')],
  ['a default that is written', `${FILE}discriminator: { column: type, dataType: text }\ndualWrite: trigger\n`],
  ['the default schema', edited('table: vehicles', 'table: public.vehicles')],
])('any other edit leaves the derivation: %s', (_, text) => {
  expect(compile(text).hash).not.toBe(compile(FILE).hash)
  expect(compile(text).derivationHash).toBe(compile(FILE).derivationHash)
})
