import { expect, test } from 'vitest'
import { LIMIT_NAMES, type Limits } from '../contract/index.ts'
import { LIMIT_TABLE } from './limitTable.ts'
import { essentialLimits, resolveLimits, type ThrottleConfig } from './limits.ts'
import { findWorstOverload, decideThrottle } from './throttleDecision.ts'
import { calmReadings, type ChangedReadings } from './testing/calmReadings.ts'

const FILE: ThrottleConfig = { throttle: {}, signals: [{ name: 'queue', limit: 100 }] }
const GB = 1024 ** 3

function decide(changed: ChangedReadings, overrides: Limits = {}, currentReason: string | null = null): string {
  const decision = decideThrottle(calmReadings(changed), resolveLimits(FILE, overrides), currentReason)
  return decision.act === 'continue' ? 'continue' : `${decision.act} ${decision.reason}: ${decision.sentence}`
}

test('work continues on a calm server, and exactly at each limit', () => {
  expect(decide({})).toBe('continue')
  expect(decide({ connections: 0.9, custom: 100, oldestSnapshot: { seconds: 1800, pid: 1, holder: 'pid 1' } })).toBe(
    'continue',
  )
})

test.each<[ChangedReadings, Limits, string]>([
  [{ lockWaiters: { waiters: 1, seconds: 0 } }, {}, 'pause lock-waiters: 1 session is waiting for a lock held by STI'],
  [
    { replicationLag: { replicas: 1, bytes: 65 * 1024 ** 2, seconds: 0 } },
    {},
    'pause replication-lag: a replica is 65 MiB behind (limit 64 MiB)',
  ],
  [
    { replicationLag: { replicas: 1, bytes: 0, seconds: 11 } },
    {},
    'pause replication-lag: a replica is 11 s behind (limit 10 s)',
  ],
  [
    { slots: { slot: 'cdc', retainedBytes: 5 * GB, keptAtMostBytes: null, endangered: null } },
    {},
    'pause slot-retention: replication slot cdc retains 5 GiB of WAL (limit 4 GiB)',
  ],
  [
    { slots: { slot: 'cdc', retainedBytes: 0.6 * GB, keptAtMostBytes: GB, endangered: null } },
    {},
    'pause slot-retention: replication slot cdc retains 614.4 MiB of WAL (limit 512 MiB)',
  ],
  [
    { archive: { enabled: true, files: 65, failing: null } },
    {},
    'pause archive-backlog: 65 WAL files wait to be archived (limit 64)',
  ],
  [
    { archive: { enabled: true, files: 0, failing: { file: '0001', seconds: 5 } } },
    {},
    'pause archive-backlog: the archiver has been failing at 0001 for 5 s',
  ],
  [
    { oldestSnapshot: { seconds: 2400, pid: 7, holder: 'pid 7 (report, active)' } },
    {},
    'pause oldest-snapshot: pid 7 (report, active) has held a snapshot for 40 min (limit 30 min)',
  ],
  [{ connections: 0.95 }, {}, 'pause connections: 95% of the connections are in use (limit 90%)'],
  [
    { autovacuum: { seconds: 90, pid: 3 } },
    { autovacuumSeconds: 60 },
    'pause autovacuum: an autovacuum of the table (pid 3) has been running for 1 min 30 s (limit 1 min)',
  ],
  [
    { walRate: 30 * 1024 ** 2 },
    { walBytesPerSecond: 10 * 1024 ** 2 },
    'pause wal-rate: the server writes 30 MiB/s of WAL (limit 20 MiB/s)',
  ],
  [
    { apiLatencyP95: 0.5 },
    { apiLatencyP95Seconds: 0.2 },
    'pause api-latency: the 95th percentile of the application’s request duration is 500 ms (limit 400 ms)',
  ],
  [{ custom: 101 }, {}, 'pause signal: queue is 101 (limit 100)'],
])('%o pauses', (changed, overrides, expected) => {
  expect(decide(changed, overrides)).toBe(expected)
})

test('a value that has a limit and is unknown pauses; a value without a limit is not read', () => {
  const unknownReadings = new Proxy<ChangedReadings>({}, { get: () => 'why' })
  const allOff = Object.fromEntries(LIMIT_NAMES.map((name) => [name, 'none' as const]))
  for (const name of LIMIT_NAMES) {
    const { [name]: _, ...allOthersOff } = allOff
    const hasDefault = Object.values(LIMIT_TABLE[name].defaults).some((tier) => tier !== null)
    expect(decide(unknownReadings, { ...allOthersOff, signals: { queue: 'none' } }), name).toMatch(
      hasDefault ? /^pause [a-z-]+-unknown: .* is unknown: why$/ : /^continue$/,
    )
  }
  expect(decide({ connections: 'why' })).toBe('pause connections-unknown: connections is unknown: why')
  expect(decide({ autovacuum: 'why' }, { autovacuumSeconds: 9 })).toBe(
    'pause autovacuum-unknown: autovacuum is unknown: why',
  )
  expect(decide({ walRate: 'why' }, { walBytesPerSecond: { pace: 5 } })).toMatch(/^pause wal-rate-unknown/)
  expect(decide({ custom: 'why' })).toBe('pause signal-unknown: signal queue is unknown: why')
  expect(decide({ custom: 'why' }, { signals: { queue: 'none' } })).toBe('continue')
  expect(decide({ lockWaiters: 'why' }, { lockWaiters: 'none' })).toBe('continue')
})

test('the first reason wins; an abort precedes every pause and names what to fix', () => {
  const many = { lockWaiters: { waiters: 2, seconds: 1 }, connections: 1, custom: 500 }
  expect(decide(many)).toMatch(/^pause lock-waiters: 2 sessions/)
  expect(decide({ ...many, archive: { enabled: true, files: 1025, failing: null } })).toBe(
    'abort archive-backlog: 1,025 WAL files wait to be archived (abort limit 1,024). Fix archive_command, or raise limits.archiveBacklogFiles, then resume.',
  )
  expect(decide(many, { signals: { queue: { abort: 400 } } })).toMatch(
    /^abort signal: Queue is 500 \(abort limit 400\)/,
  )
  const lost = {
    slot: 'cdc',
    retainedBytes: 0,
    keptAtMostBytes: GB,
    endangered: { slot: 'old', status: 'lost' as const },
  }
  expect(decide({ ...many, slots: lost })).toBe(
    'abort slot-retention: Replication slot old has lost WAL that it needs. Drop the slot and rebuild its consumer, or set limits.slotRetainedBytes to none, then resume.',
  )
  expect(decide({ slots: lost }, { slotRetainedBytes: 'none' })).toBe('continue')
})

test('a wait ends 10% below the limit that started it; another wait starts above its limit', () => {
  expect(decide({ custom: 95 }, {}, 'signal')).toMatch(/^pause signal/)
  expect(decide({ custom: 95 }, {}, 'connections')).toBe('continue')
  expect(decide({ custom: 90 }, {}, 'signal')).toBe('continue')
  expect(decide({}, {}, 'lock-waiters')).toBe('continue')
})

test('other kinds of operation wait for lock waiters and replicas only, and never abort', () => {
  const limits = essentialLimits({ ...FILE, throttle: { lockWaiters: { abort: 1 } } })
  const act = (changed: ChangedReadings): string => decideThrottle(calmReadings(changed), limits).act
  expect(act({ lockWaiters: { waiters: 5, seconds: 0 } })).toBe('pause')
  expect(act({ replicationLag: 'why' })).toBe('pause')
  expect(
    act({ archive: { enabled: true, files: 9999, failing: null }, slots: 'why', connections: 1, custom: 1e9 }),
  ).toBe('continue')
})

test('the signal furthest above its pace limit sets the pace', () => {
  const limits = resolveLimits(FILE, { walBytesPerSecond: 100, apiLatencyP95Seconds: 0.1 })
  expect(findWorstOverload(calmReadings({ walRate: 150, apiLatencyP95: 0.3 }), limits)?.ratio).toBeCloseTo(3)
  expect(findWorstOverload(calmReadings({ walRate: 150, apiLatencyP95: 'why' }), limits)?.ratio).toBe(1.5)
  expect(findWorstOverload(calmReadings({ walRate: 'why', apiLatencyP95: 'why' }), limits)).toBeUndefined()
  expect(findWorstOverload(calmReadings({}), resolveLimits(FILE))).toBeNull()
})
