import { isKnown, type Reading } from '../signals/reading.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import type { LimitName, ThrottleLimits, LimitTiers } from './limits.ts'

/** One question of the throttle: a number against its limit. */
export interface ThrottleCheck {
  /** A short code for series. */
  readonly reason: string
  /** The key of `limits` that a person would change. */
  readonly limit: string
  readonly tiers: LimitTiers
  readonly reading: Reading<number>
  /** The value in a sentence without its full stop. */
  describe(value: number): string
  /** A limit's value with its unit. */
  formatValue(value: number): string
  /** What else the reading says, whatever the limits: a sentence without its full stop. */
  readonly statusFinding?: { readonly act: 'pause' | 'abort'; readonly sentence: string } | null
  /** What a person can do about an abort. */
  readonly remedy?: string
}

/** All questions, in the order in which the first one that says no is the reason. */
export function buildThrottleChecks(pressure: ThrottleReadings, limits: ThrottleLimits): ThrottleCheck[] {
  const limitCheck = (limit: LimitName, check: Omit<ThrottleCheck, 'limit' | 'tiers'>): ThrottleCheck => ({
    limit,
    tiers: limits[limit],
    ...check,
  })
  const lag = pressure.replicationLag()
  const snapshot = pressure.oldestSnapshot()
  const vacuum = pressure.autovacuum()
  return [
    limitCheck('lockWaiters', {
      reason: 'lock-waiters',
      reading: mapReading(pressure.lockWaiters(), ({ waiters }) => waiters),
      describe: (waiters) => `${waiters} session${waiters === 1 ? '' : 's'} waiting for our locks`,
      formatValue: String,
    }),
    limitCheck('replicationLagBytes', {
      reason: 'replication-lag',
      reading: mapReading(lag, (value) => value.bytes),
      describe: (value) => `a replica is ${formatBytes(value)} behind`,
      formatValue: formatBytes,
    }),
    limitCheck('replicationLagSeconds', {
      reason: 'replication-lag',
      // PostgreSQL does not say for a replica that has just come or gone still: then the bytes judge alone.
      reading: mapReading(lag, (value) => value.seconds ?? 0),
      describe: (value) => `a replica is ${formatDuration(value)} behind`,
      formatValue: formatDuration,
    }),
    slotCheck(pressure, limits.slotRetainedBytes),
    archiveCheck(pressure, limits.archiveBacklogFiles),
    limitCheck('oldestSnapshotSeconds', {
      reason: 'oldest-snapshot',
      reading: mapReading(snapshot, (value) => value.seconds),
      describe: (value) =>
        `${isKnown(snapshot) ? snapshot.value.holder : ''} has held a snapshot for ${formatDuration(value)}`,
      formatValue: formatDuration,
      remedy: 'End it',
    }),
    limitCheck('connectionsRatio', {
      reason: 'connections',
      reading: pressure.connections(),
      describe: (value) => `${formatPercent(value)} of the connections are in use`,
      formatValue: formatPercent,
    }),
    limitCheck('autovacuumSeconds', {
      reason: 'autovacuum',
      reading: mapReading(vacuum, (value) => value.seconds),
      describe: (value) =>
        `an autovacuum of the table (pid ${isKnown(vacuum) ? vacuum.value.pid : ''}) has run for ${formatDuration(value)}`,
      formatValue: formatDuration,
    }),
    limitCheck('walBytesPerSecond', {
      reason: 'wal-rate',
      reading: pressure.walRate(),
      describe: (value) => `the server writes ${formatBytes(value)} of WAL per second`,
      formatValue: formatBytes,
    }),
    limitCheck('apiLatencyP95Seconds', {
      reason: 'api-latency',
      reading: pressure.apiLatencyP95(),
      describe: (value) => `the 95th percentile of the application’s requests is ${formatDuration(value)}`,
      formatValue: formatDuration,
    }),
    ...pressure.custom().map(({ name, limit, reading }): ThrottleCheck => ({
      reason: 'signal',
      limit: `signals.${name}`,
      reading,
      formatValue: String,
      tiers: limits.signals[name] ?? { pace: null, pause: limit, abort: null },
      describe: (value) => `${name} is ${value}`,
    })),
  ]
}

function slotCheck(pressure: ThrottleReadings, tiers: LimitTiers): ThrottleCheck {
  const reading = pressure.slots()
  const known = isKnown(reading) ? reading.value : null
  const keptAtMost = known?.keptAtMostBytes ?? null
  const endangered = known?.endangered ?? null
  const lost = endangered?.status === 'lost'
  return {
    reason: 'slot-retention',
    limit: 'slotRetainedBytes',
    formatValue: formatBytes,
    // PostgreSQL itself cuts a slot off at max_slot_wal_keep_size: half of it leaves time to see it coming.
    tiers:
      keptAtMost === null || tiers.pause === null ? tiers : { ...tiers, pause: Math.min(tiers.pause, keptAtMost / 2) },
    reading: mapReading(reading, (value) => value.retainedBytes),
    describe: (value) => `replication slot ${known?.slot} keeps ${formatBytes(value)} of WAL`,
    statusFinding: endangered && {
      act: 'abort',
      sentence: `replication slot ${endangered.slot} ${lost ? 'has lost' : 'is about to lose'} WAL that it needs`,
    },
    remedy: lost ? 'Drop it and build its consumer anew' : 'Let its consumer catch up, or drop it',
  }
}

function archiveCheck(pressure: ThrottleReadings, tiers: LimitTiers): ThrottleCheck {
  const reading = pressure.archive()
  const failing = isKnown(reading) ? reading.value.failing : null
  return {
    reason: 'archive-backlog',
    limit: 'archiveBacklogFiles',
    tiers,
    formatValue: String,
    reading: mapReading(reading, ({ files }) => files),
    describe: (files) => `${files} WAL files wait to be archived`,
    statusFinding: failing && {
      act: 'pause',
      sentence: `the archiver has failed at ${failing.file} for ${formatDuration(failing.seconds)}`,
    },
    remedy: 'Mend archive_command',
  }
}

function mapReading<T>(reading: Reading<T>, select: (value: T) => number): Reading<number> {
  return isKnown(reading) ? { value: select(reading.value), at: reading.at } : reading
}

function formatBytes(value: number): string {
  const [unit, size] = value >= 1024 ** 3 ? ['GB', 1024 ** 3] : value >= 1024 ** 2 ? ['MB', 1024 ** 2] : ['kB', 1024]
  const scaled = value / Number(size)
  return `${scaled >= 10 ? Math.round(scaled) : Math.round(scaled * 10) / 10} ${unit}`
}

function formatDuration(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`
  if (value < 120) return `${Math.round(value * 10) / 10} s`
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`
}

function formatPercent(value: number): string {
  return `${Math.floor(value * 1000) / 10} %`
}
