import { expect, test } from 'vitest'
import { VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { compileRollout } from './compileRollout.ts'
import { promotionHash } from './promotionHash.ts'
import { redactContacts } from './redactContacts.ts'

const CONTACTS = `contacts:
  - { role: Technical Lead, name: Ann Lee, phone: "+49 30 123", email: ann@example.com, escalateAfter: 5m } # day and night
  - role: DevOps Engineer
    name: Bob
    phone: |
      +49 30 456
    escalateAfter: 10m
soak: 7d
`

function hashOf(more = ''): string {
  const { rollout, faults } = compileRollout('file.yaml', VEHICLES_FILE.replace(/^validation:.*\n/m, '') + more)
  expect(faults).toEqual([])
  return promotionHash(rollout!.file)
}

test('locations and contacts may differ between environments', () => {
  const same = hashOf()
  for (const more of [
    '# a remark\n',
    'api: { histogram: { url: "http://production/metrics", name: seconds } }\n',
    'throttle: { lockWaiters: 3 }\n',
    'promotion: { from: staging }\n',
    'backup: { maxAge: 1h }\n',
    'automaticRollback: []\n',
    CONTACTS,
    'soak: 7d\n',
  ])
    expect(hashOf(more)).toBe(same)
})

test('the change and its validation may not differ', () => {
  const check = (url: string): string => `checks: [{ name: list, request: { url: "${url}", status: 200 } }]\n`
  const signal = (source: string): string => `signals: [{ name: depth, ${source} }]\n`
  expect(hashOf(check('http://staging:80/list?kind=1'))).toBe(hashOf(check('https://production/list?kind=1')))
  expect(hashOf(signal('promql: "depth{env=1}", limit: 3'))).toBe(hashOf(signal('promql: "depth{env=2}", limit: 3')))
  const changes = [
    '',
    'prefill: majority\n',
    'constraint: notNull\n',
    'errorBudget: 0.01\n',
    'limits: { apiLatencyIncrease: 0.2 }\n',
    'validation: { requires: [integrity] }\n',
    check('http://staging/list?kind=1'),
    check('http://staging/list?kind=2'),
    signal('promql: depth, limit: 3'),
    signal('promql: depth, limit: 4'),
    signal('sql: "select 1", limit: 3'),
  ]
  expect(new Set(changes.map(hashOf)).size).toBe(changes.length)
})

test('removing phone numbers and email addresses leaves the rest of the file unchanged', () => {
  const shown = redactContacts(VEHICLES_FILE + CONTACTS)
  expect(shown).not.toMatch(/\+49|example\.com/)
  expect(shown).toMatch(
    /name: Ann Lee, phone: "\(for editors\)", email: "\(for editors\)", escalateAfter: 5m } # day and night/,
  )
  expect(compileRollout('file.yaml', shown.replace('email: "(for editors)", ', '')).faults).toEqual([])
  expect(redactContacts(VEHICLES_FILE)).toBe(VEHICLES_FILE)
})
