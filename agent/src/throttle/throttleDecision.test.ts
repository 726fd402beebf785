import { expect, test } from 'vitest'
import type { Limits } from '../contract/index.ts'
import { essentialLimits, resolveLimits, type ThrottleConfig } from './limits.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { findWorstOverload, decideThrottle } from './throttleDecision.ts'

const FILE: ThrottleConfig = { throttle: {}, signals: [{ name: 'queue', limit: 100 }] }
const GB = 1024 ** 3

type ReadingValues = { [K in keyof ThrottleReadings]: unknown }
const CALM_READINGS: ReadingValues = {
  lockWaiters: { waiters: 0, seconds: 0 },
  replicationLag: { replicas: 1, bytes: 0, seconds: 0 },
  slots: { slot: 'cdc', retainedBytes: 0, keptAtMostBytes: null, endangered: null },
  archive: { files: 0, failing: null },
  oldestSnapshot: { seconds: 0, pid: null, holder: null },
  connections: 0.5,
  autovacuum: { seconds: 0, pid: null },
  walRate: 0,
  apiLatencyP95: 0.01,
  custom: 1,
}

/** The readings of a calm server but for these; a text is why nothing is known. */
function pressure(changed: Partial<ReadingValues>): ThrottleReadings {
  const values = { ...CALM_READINGS, ...changed }
  const reading = (value: unknown) => (typeof value === 'string' ? { unknown: value } : { value, at: 1 })
  return {
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, () => reading(value)])),
    custom: () => [{ name: 'queue', limit: 100, reading: reading(values.custom) }],
  } as unknown as ThrottleReadings
}

function decide(changed: Partial<ReadingValues>, own: Limits = {}, before: string | null = null): string {
  const decision = decideThrottle(pressure(changed), resolveLimits(FILE, own), before)
  return decision.act === 'go-on' ? 'go-on' : `${decision.act} ${decision.reason}: ${decision.sentence}`
}

test('a calm server lets it go on, also at each limit', () => {
  expect(decide({})).toBe('go-on')
  expect(decide({ connections: 0.9, custom: 100, oldestSnapshot: { seconds: 1800, pid: 1, holder: 'pid 1' } })).toBe(
    'go-on',
  )
})

test.each<[Partial<ReadingValues>, Limits, string]>([
  [{ lockWaiters: { waiters: 1, seconds: 0 } }, {}, 'pause lock-waiters: 1 session waiting for our locks'],
  [
    { replicationLag: { replicas: 1, bytes: 65 * 1024 ** 2, seconds: 0 } },
    {},
    'pause replication-lag: a replica is 65 MB behind, above 64 MB',
  ],
  [
    { replicationLag: { replicas: 1, bytes: 0, seconds: 11 } },
    {},
    'pause replication-lag: a replica is 11 s behind, above 10 s',
  ],
  [
    { slots: { slot: 'cdc', retainedBytes: 5 * GB, keptAtMostBytes: null, endangered: null } },
    {},
    'pause slot-retention: replication slot cdc keeps 5 GB of WAL, above 4 GB',
  ],
  [
    { slots: { slot: 'cdc', retainedBytes: 0.6 * GB, keptAtMostBytes: GB, endangered: null } },
    {},
    'pause slot-retention: replication slot cdc keeps 614 MB of WAL, above 512 MB',
  ],
  [{ archive: { files: 65, failing: null } }, {}, 'pause archive-backlog: 65 WAL files wait to be archived, above 64'],
  [
    { archive: { files: 0, failing: { file: '0001', seconds: 5 } } },
    {},
    'pause archive-backlog: the archiver has failed at 0001 for 5 s',
  ],
  [
    { oldestSnapshot: { seconds: 2400, pid: 7, holder: 'pid 7 (report, active)' } },
    {},
    'pause oldest-snapshot: pid 7 (report, active) has held a snapshot for 40 min, above 30 min',
  ],
  [{ connections: 0.95 }, {}, 'pause connections: 95 % of the connections are in use, above 90 %'],
  [
    { autovacuum: { seconds: 90, pid: 3 } },
    { autovacuumSeconds: 60 },
    'pause autovacuum: an autovacuum of the table (pid 3) has run for 90 s, above 60 s',
  ],
  [
    { walRate: 30 * 1024 ** 2 },
    { walBytesPerSecond: 10 * 1024 ** 2 },
    'pause wal-rate: the server writes 30 MB of WAL per second, above 20 MB',
  ],
  [
    { apiLatencyP95: 0.5 },
    { apiLatencyP95Seconds: 0.2 },
    'pause api-latency: the 95th percentile of the application’s requests is 500 ms, above 400 ms',
  ],
  [{ custom: 101 }, {}, 'pause signal: queue is 101, above 100'],
])('%o waits', (changed, own, said) => {
  expect(decide(changed, own)).toBe(said)
})

test('what has a limit and is unknown pauses; what has none is asked nothing', () => {
  for (const name of Object.keys(CALM_READINGS) as (keyof ReadingValues)[]) {
    const optional = ['autovacuum', 'walRate', 'apiLatencyP95'].includes(name)
    expect(decide({ [name]: 'why' }), name).toMatch(optional ? /^go-on$/ : /^pause [a-z-]+-unknown: .* unknown: why$/)
  }
  expect(decide({ autovacuum: 'why' }, { autovacuumSeconds: 9 })).toBe(
    'pause autovacuum-unknown: autovacuum unknown: why',
  )
  expect(decide({ walRate: 'why' }, { walBytesPerSecond: { pace: 5 } })).toMatch(/^pause wal-rate-unknown/)
  expect(decide({ custom: 'why' })).toBe('pause signal-unknown: signal queue unknown: why')
  expect(decide({ custom: 'why' }, { signals: { queue: 'none' } })).toBe('go-on')
  expect(decide({ lockWaiters: 'why' }, { lockWaiters: 'none' })).toBe('go-on')
})

test('the first reason wins; a stop goes before every wait, and says what to mend', () => {
  const many = { lockWaiters: { waiters: 2, seconds: 1 }, connections: 1, custom: 500 }
  expect(decide(many)).toMatch(/^pause lock-waiters: 2 sessions/)
  expect(decide({ ...many, archive: { files: 1025, failing: null } })).toBe(
    'abort archive-backlog: 1025 WAL files wait to be archived, above 1024, where work stops. Mend archive_command, or raise limits.archiveBacklogFiles; then resume.',
  )
  expect(decide(many, { signals: { queue: { abort: 400 } } })).toMatch(/^abort signal: Queue is 500, above 400/)
  const lost = { slot: 'cdc', retainedBytes: 0, keptAtMostBytes: GB, endangered: { slot: 'old', status: 'lost' } }
  expect(decide({ ...many, slots: lost })).toBe(
    'abort slot-retention: Replication slot old has lost WAL that it needs. Drop it and build its consumer anew, or set limits.slotRetainedBytes to none; then resume.',
  )
  expect(decide({ slots: lost }, { slotRetainedBytes: 'none' })).toBe('go-on')
})

test('a wait ends a tenth below the limit that began it, another one begins above it', () => {
  expect(decide({ custom: 95 }, {}, 'signal')).toMatch(/^pause signal/)
  expect(decide({ custom: 95 }, {}, 'connections')).toBe('go-on')
  expect(decide({ custom: 90 }, {}, 'signal')).toBe('go-on')
  expect(decide({}, {}, 'lock-waiters')).toBe('go-on')
})

test('other kinds of operation wait for lock waiters and replicas only, and never stop', () => {
  const limits = essentialLimits({ ...FILE, throttle: { lockWaiters: { abort: 1 } } })
  const act = (changed: Partial<ReadingValues>): string => decideThrottle(pressure(changed), limits).act
  expect(act({ lockWaiters: { waiters: 5, seconds: 0 } })).toBe('pause')
  expect(act({ replicationLag: 'why' })).toBe('pause')
  expect(act({ archive: { files: 9999, failing: null }, slots: 'why', connections: 1, custom: 1e9 })).toBe('go-on')
})

test('the signal that is furthest above its pace is the one that paces', () => {
  const limits = resolveLimits(FILE, { walBytesPerSecond: 100, apiLatencyP95Seconds: 0.1 })
  expect(findWorstOverload(pressure({ walRate: 150, apiLatencyP95: 0.3 }), limits)?.ratio).toBeCloseTo(3)
  expect(findWorstOverload(pressure({ walRate: 150, apiLatencyP95: 'why' }), limits)?.ratio).toBe(1.5)
  expect(findWorstOverload(pressure({ walRate: 'why', apiLatencyP95: 'why' }), limits)).toBeUndefined()
  expect(findWorstOverload(pressure({}), resolveLimits(FILE))).toBeNull()
})
