import type { AgentStatus, RolloutSummary } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { AgentError } from '../agent/AgentError'
import type { AgentRollouts } from '../rollout/rolloutRows'
import { type Fleet, selectFleets, toFleets } from './fleet'
import { fleetSums } from './sumFleet'
import { countStates } from './memberState'

const summary = (rollout: string, changed: object = {}) =>
  ({
    rollout,
    table: `public.${rollout}`,
    stage: 'new',
    at: '2026-03-01T12:00:00.000Z',
    openIncidents: 0,
    faults: [],
    failedRows: 0,
    steps: [],
    running: null,
    rows: null,
    vitals: [],
    flag: { enabled: false, percentage: 0, persisted: true, consistent: true },
    ...changed,
  }) as unknown as RolloutSummary
const ON = { stage: 'enabled', flag: { enabled: true, percentage: 100, persisted: true, consistent: true } }
const backfilling = (processed: number, remainingSeconds: number) => ({
  stage: 'backfilling',
  rows: { processed, total: 1_000 },
  running: { kind: 'backfill', state: 'running', progress: { ratio: processed / 1_000, remainingSeconds } },
})
const known = (name: string, environment: string, ...list: RolloutSummary[]): AgentRollouts => ({
  agent: { uid: name, name, expected: environment },
  answer: { status: { environment, production: environment === 'production', database: name } as AgentStatus, list },
  error: null,
  failingSince: null,
})
const failing = (agent: AgentRollouts, answer = agent.answer): AgentRollouts => ({
  ...agent,
  answer,
  error: new AgentError('Grafana cannot reach it.', 'network', 502),
  failingSince: new Date(),
})
const everything = { text: '', onlyTrouble: false, sort: 'rollout' } as const
const names = (fleets: ReturnType<typeof selectFleets>) =>
  fleets.map(({ rollout, selected }) => `${rollout}: ${selected.map(({ label }) => label).join()}`)
const counts = (fleet: Fleet | undefined) =>
  countStates(fleet?.members ?? [])
    .map(({ text, count }) => `${count} ${text}`)
    .join(', ')

test('a fleet counts the states of its members, worst first', () => {
  const [fleet] = toFleets([
    known('a', 'eu-1', summary('vehicles', ON)),
    known('b', 'eu-2', summary('vehicles', ON)),
    known('c', 'eu-3', summary('vehicles', backfilling(100, 9))),
    known('d', 'eu-4', summary('vehicles', { stage: 'rolled-back' })),
    known('e', 'eu-5', summary('vehicles')),
    failing(known('f', 'eu-6', summary('vehicles', ON))),
    known('g', 'eu-7', summary('vehicles', { ...ON, openIncidents: 1 })),
    known('h', 'eu-8', summary('vehicles', { ...backfilling(1, 2), running: { kind: 'backfill', state: 'paused' } })),
    known('i', 'eu-9', summary('vehicles', { flag: { ...ON.flag, percentage: 10 }, stage: 'ramping' })),
  ])
  expect(counts(fleet)).toBe(
    '1 not responding, 1 with an open incident, 1 rolled back, 1 paused, 1 backfilling, 1 new, 2 on, 1 on for 10%',
  )
})

test('an agent that has never answered is a member of every fleet, and of no rollout of one database', () => {
  const fleets = toFleets([
    known('a', 'eu', summary('vehicles'), summary('orders')),
    known('b', 'us', summary('vehicles')),
    failing(known('c', 'asia'), null),
  ])
  expect(names(selectFleets(fleets, everything))).toEqual(['orders: eu', 'vehicles: asia,eu,us'])
  expect(counts(fleets[0])).toBe('1 not responding, 2 new')
})

test('members with the same environment are told apart by their agents', () => {
  const [fleet] = toFleets([known('a', 'production', summary('v')), known('b', 'production', summary('v'))])
  expect(fleet?.members.map(({ label }) => label)).toEqual(['production (a)', 'production (b)'])
})

test('members are filtered by their words and by trouble, and the fleet with the most urgent one comes first', () => {
  const fleets = toFleets([
    known('a', 'staging', summary('orders'), summary('vehicles', { failedRows: 3 })),
    known('b', 'production', summary('orders', { openIncidents: 1 }), summary('vehicles')),
  ])
  expect(names(selectFleets(fleets, { ...everything, text: 'prod veh' }))).toEqual(['vehicles: production'])
  expect(selectFleets(fleets, { ...everything, text: 'prod veh' })[0]?.members).toHaveLength(2)
  expect(names(selectFleets(fleets, { ...everything, onlyTrouble: true }))).toEqual([
    'orders: production',
    'vehicles: staging',
  ])
  expect(names(selectFleets([...fleets].reverse(), { ...everything, sort: 'trouble' }))).toEqual([
    'orders: production,staging',
    'vehicles: staging,production',
  ])
})

test('sums leave out members that do not answer, and name the worst and the slowest', () => {
  const p95 = (value: number, state = 'ok') => ({
    vitals: [{ name: 'api-latency-p95', unit: 'seconds', value, limit: 0.1, baseline: null, state, detail: null }],
  })
  const [fleet] = toFleets([
    known('a', 'eu-1', summary('v', { ...ON, rows: { processed: 1_000, total: 1_000 }, ...p95(0.05) })),
    known('b', 'eu-2', summary('v', { ...backfilling(100, 600), failedRows: 2, ...p95(0.2, 'exceeded') })),
    known('c', 'eu-3', summary('v', { ...backfilling(500, 5), failedRows: 7, openIncidents: 1 })),
    failing(known('d', 'eu-4', summary('v', { ...ON, failedRows: 1_000, rows: { processed: 1, total: 5_000 } }))),
    known('e', 'eu-5', summary('v')),
  ])
  expect(fleetSums(fleet?.members ?? []).map(({ label, value, note }) => `${label}: ${value} (${note})`)).toEqual([
    'Flag on: 1 of 4 (unknown: eu-4)',
    'Rows done: 1,600 of 3,000 (slowest: eu-2, 10%, 10 min left; 1 member without a backfill)',
    'Failed rows: 9 (most: eu-3, 7)',
    'Open incidents: 1 (eu-3)',
    'API p95: 200 ms (worst: eu-2)',
  ])
})

test('two hundred rollouts are merged and selected within a frame', () => {
  const many = Array.from({ length: 200 }, (_, index) => summary(`rollout-${index}`))
  const start = performance.now()
  expect(selectFleets(toFleets([known('a', 'staging', ...many)]), everything)).toHaveLength(200)
  expect(performance.now() - start).toBeLessThan(100)
})
