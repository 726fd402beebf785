import { isKnown, type Reading } from '../signals/reading.ts'
import type { ThrottleReadings } from '../signals/throttle.ts'
import type { LimitName, ThrottleLimits, Tiers } from './limits.ts'

/** What the throttle looks at, from memory. */
export type Pressure = ThrottleReadings

/** One question of the throttle: a number against its limit. */
export interface Check {
  /** A short code for series. */
  readonly reason: string
  /** The key of `limits` that a person would change. */
  readonly limit: string
  readonly tiers: Tiers
  readonly reading: Reading<number>
  /** The value in a sentence without its full stop. */
  says(value: number): string
  /** A limit's value with its unit. */
  show(value: number): string
  /** What else the reading says, whatever the limits: a sentence without its full stop. */
  readonly also?: { readonly act: 'pause' | 'abort'; readonly sentence: string } | null
  /** What a person can do about an abort. */
  readonly mend?: string
}

/** All questions, in the order in which the first one that says no is the reason. */
export function checksOf(pressure: Pressure, limits: ThrottleLimits): Check[] {
  const named = (limit: LimitName, check: Omit<Check, 'limit' | 'tiers'>): Check => ({
    limit,
    tiers: limits[limit],
    ...check,
  })
  const lag = pressure.replicationLag()
  const snapshot = pressure.oldestSnapshot()
  const vacuum = pressure.autovacuum()
  return [
    named('lockWaiters', {
      reason: 'lock-waiters',
      reading: number(pressure.lockWaiters(), ({ waiters }) => waiters),
      says: (waiters) => `${waiters} session${waiters === 1 ? '' : 's'} waiting for our locks`,
      show: String,
    }),
    named('replicationLagBytes', {
      reason: 'replication-lag',
      reading: number(lag, (value) => value.bytes),
      says: (value) => `a replica is ${bytes(value)} behind`,
      show: bytes,
    }),
    named('replicationLagSeconds', {
      reason: 'replication-lag',
      // PostgreSQL does not say for a replica that has just come or gone still: then the bytes judge alone.
      reading: number(lag, (value) => value.seconds ?? 0),
      says: (value) => `a replica is ${duration(value)} behind`,
      show: duration,
    }),
    slotCheck(pressure, limits.slotRetainedBytes),
    archiveCheck(pressure, limits.archiveBacklogFiles),
    named('oldestSnapshotSeconds', {
      reason: 'oldest-snapshot',
      reading: number(snapshot, (value) => value.seconds),
      says: (value) => `${isKnown(snapshot) ? snapshot.value.holder : ''} has held a snapshot for ${duration(value)}`,
      show: duration,
      mend: 'End it',
    }),
    named('connectionsRatio', {
      reason: 'connections',
      reading: pressure.connections(),
      says: (value) => `${percent(value)} of the connections are in use`,
      show: percent,
    }),
    named('autovacuumSeconds', {
      reason: 'autovacuum',
      reading: number(vacuum, (value) => value.seconds),
      says: (value) =>
        `an autovacuum of the table (pid ${isKnown(vacuum) ? vacuum.value.pid : ''}) has run for ${duration(value)}`,
      show: duration,
    }),
    named('walBytesPerSecond', {
      reason: 'wal-rate',
      reading: pressure.walRate(),
      says: (value) => `the server writes ${bytes(value)} of WAL per second`,
      show: bytes,
    }),
    named('apiLatencyP95Seconds', {
      reason: 'api-latency',
      reading: pressure.apiLatencyP95(),
      says: (value) => `the 95th percentile of the application’s requests is ${duration(value)}`,
      show: duration,
    }),
    ...pressure.custom().map(({ name, limit, reading }): Check => ({
      reason: 'signal',
      limit: `signals.${name}`,
      reading,
      show: String,
      tiers: limits.signals[name] ?? { pace: null, pause: limit, abort: null },
      says: (value) => `${name} is ${value}`,
    })),
  ]
}

function slotCheck(pressure: Pressure, tiers: Tiers): Check {
  const reading = pressure.slots()
  const known = isKnown(reading) ? reading.value : null
  const keptAtMost = known?.keptAtMostBytes ?? null
  const danger = known?.endangered ?? null
  const lost = danger?.status === 'lost'
  return {
    reason: 'slot-retention',
    limit: 'slotRetainedBytes',
    show: bytes,
    // PostgreSQL itself cuts a slot off at max_slot_wal_keep_size: half of it leaves time to see it coming.
    tiers:
      keptAtMost === null || tiers.pause === null ? tiers : { ...tiers, pause: Math.min(tiers.pause, keptAtMost / 2) },
    reading: number(reading, (value) => value.retainedBytes),
    says: (value) => `replication slot ${known?.slot} keeps ${bytes(value)} of WAL`,
    also: danger && {
      act: 'abort',
      sentence: `replication slot ${danger.slot} ${lost ? 'has lost' : 'is about to lose'} WAL that it needs`,
    },
    mend: lost ? 'Drop it and build its consumer anew' : 'Let its consumer catch up, or drop it',
  }
}

function archiveCheck(pressure: Pressure, tiers: Tiers): Check {
  const reading = pressure.archive()
  const failing = isKnown(reading) ? reading.value.failing : null
  return {
    reason: 'archive-backlog',
    limit: 'archiveBacklogFiles',
    tiers,
    show: String,
    reading: number(reading, ({ files }) => files),
    says: (files) => `${files} WAL files wait to be archived`,
    also: failing && {
      act: 'pause',
      sentence: `the archiver has failed at ${failing.file} for ${duration(failing.seconds)}`,
    },
    mend: 'Mend archive_command',
  }
}

function number<T>(reading: Reading<T>, of: (value: T) => number): Reading<number> {
  return isKnown(reading) ? { value: of(reading.value), at: reading.at } : reading
}

function bytes(value: number): string {
  const [unit, size] = value >= 1024 ** 3 ? ['GB', 1024 ** 3] : value >= 1024 ** 2 ? ['MB', 1024 ** 2] : ['kB', 1024]
  const shown = value / Number(size)
  return `${shown >= 10 ? Math.round(shown) : Math.round(shown * 10) / 10} ${unit}`
}

function duration(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`
  if (value < 120) return `${Math.round(value * 10) / 10} s`
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`
}

function percent(value: number): string {
  return `${Math.floor(value * 1000) / 10} %`
}
