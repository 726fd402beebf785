import type { AgentStatus, RolloutSummary } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { type AgentRollouts, mergeRollouts, selectRows } from './rolloutRows'

const summary = (rollout: string, changed: Partial<RolloutSummary> = {}) =>
  ({
    rollout,
    table: `public.${rollout}`,
    stage: 'new',
    at: '2026-03-01T12:00:00.000Z',
    openIncidents: 0,
    faults: [],
    failedRows: 0,
    steps: [],
    flag: { persisted: true, consistent: true },
    ...changed,
  }) as unknown as RolloutSummary
const answer = (agentName: string, environment: string, ...list: RolloutSummary[]): AgentRollouts => ({
  agentName,
  status: { environment, production: environment === 'production' } as AgentStatus,
  list,
})
const names = (rows: ReturnType<typeof selectRows>) => rows.map((row) => `${row.environment}/${row.summary.rollout}`)
const everything = { text: '', onlyTrouble: false, sort: 'rollout' } as const

test('two agents of one database are one row with both agents and the newest answer', () => {
  const newer = summary('vehicles', { at: '2026-03-01T12:00:05.000Z', stage: 'enabled' })
  const rows = mergeRollouts([
    answer('a', 'staging', summary('vehicles')),
    answer('b', 'staging', newer),
    answer('c', 'production', summary('vehicles')),
  ])
  expect(rows).toMatchObject([
    { environment: 'staging', agents: ['a', 'b'], summary: { stage: 'enabled' } },
    { environment: 'production', agents: ['c'], production: true },
  ])
})

test('rows are filtered by their words and by trouble, and the most urgent comes first', () => {
  const rows = mergeRollouts([
    answer('a', 'staging', summary('orders'), summary('vehicles', { failedRows: 3 })),
    answer('b', 'production', summary('orders', { openIncidents: 1 }), summary('vehicles')),
  ])
  expect(names(selectRows(rows, { ...everything, text: 'prod veh' }))).toEqual(['production/vehicles'])
  expect(names(selectRows(rows, { ...everything, onlyTrouble: true }))).toEqual([
    'production/orders',
    'staging/vehicles',
  ])
  expect(names(selectRows(rows, { ...everything, sort: 'trouble' }))).toEqual([
    'production/orders',
    'staging/vehicles',
    'staging/orders',
    'production/vehicles',
  ])
})

test('two hundred rows are merged and selected within a frame', () => {
  const many = Array.from({ length: 200 }, (_, index) => summary(`rollout-${index}`))
  const start = performance.now()
  expect(selectRows(mergeRollouts([answer('a', 'staging', ...many)]), everything)).toHaveLength(200)
  expect(performance.now() - start).toBeLessThan(100)
})
