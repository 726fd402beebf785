import { expect, test } from 'vitest'
import type { Attestation } from '../contract/index.ts'
import { productionItems } from './productionItems.ts'
import type { ReadinessInput } from './readinessInput.ts'

const preparedAt = '2026-03-01T12:00:00.000Z'
const url = 'https://github.example/acme/app/pull/1'
const draft = (changed: object = {}) => ({
  id: 9,
  at: preparedAt,
  verdict: 'pass',
  prepared: true,
  reasons: [],
  staleBecause: null,
  pullRequest: { title: 'Drop is_truck', url: null },
  ...changed,
})
const confirmed = (at: string, counts = true): Partial<Attestation> => ({
  item: 'column-drop-migration',
  at,
  counts,
  why: 'withdrawn',
  note: 'mailed to the DBA',
  by: { name: 'ann', level: 'editor', via: 'token' },
  expiresAt: '2026-05-01T12:00:00.000Z',
})
const open = { value: 'open', at: 1 } as const

test.each([
  ['no draft', null, null, [], 'not-ready', /No column drop/],
  ['a draft without a pull request', draft({ pullRequest: null }), null, [], 'not-ready', /no pull request/],
  ['an outdated draft', draft({ staleBecause: 'the table changed' }), null, [], 'not-ready', /no longer valid/],
  [
    'failed checks, handed over',
    draft({ verdict: 'fail', reasons: ['lossless: 3 rows.'] }),
    null,
    [confirmed('2026-03-02T12:00:00.000Z')],
    'not-ready',
    /do not pass: lossless/,
  ],
  [
    'inconclusive checks and an open pull request',
    draft({ verdict: 'inconclusive', pullRequest: { title: 'Drop', url } }),
    open,
    [],
    'not-ready',
    /do not pass/,
  ],
  ['no repository, not handed over', draft(), null, [], 'not-ready', /nobody has confirmed that it was handed over/],
  [
    'no repository, an earlier draft handed over',
    draft(),
    null,
    [confirmed('2026-02-28T12:00:00.000Z')],
    'not-ready',
    /since the draft was prepared/,
  ],
  [
    'no repository, confirmation withdrawn',
    draft(),
    null,
    [confirmed('2026-03-02T12:00:00.000Z', false)],
    'not-ready',
    /nobody has confirmed/,
  ],
  [
    'no repository, handed over',
    draft(),
    null,
    [confirmed('2026-03-02T12:00:00.000Z')],
    'ready',
    /handed over, confirmed by ann on 2026-03-02: mailed to the DBA/,
  ],
  [
    'a repository, handed over without a pull request',
    draft(),
    { unknown: 'no pull request was opened' },
    [confirmed('2026-03-02T12:00:00.000Z')],
    'not-ready',
    /no pull request was opened/,
  ],
  ['an open pull request', draft({ pullRequest: { title: 'Drop', url } }), open, [], 'ready', /is open/],
  [
    'a closed pull request',
    draft({ pullRequest: { title: 'Drop', url } }),
    { value: 'closed', at: 1 },
    [],
    'not-ready',
    /is closed/,
  ],
  [
    'a repository that does not answer',
    draft({ pullRequest: { title: 'Drop', url } }),
    { unknown: 'GitHub is unavailable' },
    [],
    'unknown',
    /GitHub is unavailable/,
  ],
] as const)('column drop with %s', (_, columnDrop, pullRequest, attestations, state, sentence) => {
  const facts = {
    columnDrop,
    stage: 'enabled',
    lastSucceededBackfill: null,
    succeededOperations: [],
    promotion: null,
    changes: [],
    rehearsalRequestedAt: null,
    rollout: { file: { contacts: [], rehearsal: {} } },
  }
  const input = { facts, attestations, pullRequest, promotedReport: null } as unknown as ReadinessInput
  const item = productionItems(input).find((candidate) => candidate.item === 'column-drop-migration')!
  expect(item.state).toBe(state)
  expect(item.sentence).toMatch(sentence)
  expect(item.next === null).toBe(state === 'ready')
  // Only without a repository can a person sign it off.
  expect(item.by).toBe(pullRequest === null ? 'attested' : 'measured')
})
