import { pollApiReadings } from './apiReadings.ts'
import { unknownApiReadings, type ApiReadings } from './apiScraper.ts'
import { pollArchiveBacklog, type ArchiveBacklog } from './archiveBacklog.ts'
import { pollAutovacuum, type Autovacuum } from './autovacuum.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import type { CustomReading } from './customSignal.ts'
import { connectionRatio, type DatabaseReadings } from './databaseActivity.ts'
import { pollLockWaiters, type LockWaiters } from './lockWaiters.ts'
import { pollOldestSnapshot, type OldestSnapshot } from './oldestSnapshot.ts'
import { type Poll, createRefCountedPolls } from './poll.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import { pollSlotRetention, type SlotRetention } from './replicationSlots.ts'
import type { MonitoredRollout } from './signalConfig.ts'
import { pollWalRate } from './walRate.ts'

/** Everything that the throttle of one rollout checks, from memory. */
export interface ThrottleReadings {
  lockWaiters(): Reading<LockWaiters>
  replicationLag(): Reading<ReplicationLag>
  slots(): Reading<SlotRetention>
  archive(): Reading<ArchiveBacklog>
  /** Who keeps dead row versions from being removed: pid, age, and a description. */
  oldestSnapshot(): Reading<OldestSnapshot>
  /** Client connections / max_connections. */
  connections(): Reading<number>
  /** An autovacuum of the rollout's table or its partitions. */
  autovacuum(): Reading<Autovacuum>
  /** Bytes per second of the whole server. */
  walRate(): Reading<number>
  /** Seconds, over the last 10 s; 0 while there are no requests. */
  apiLatencyP95(): Reading<number>
  /** The signals of the rollout file, in its order. */
  custom(): readonly CustomReading[]
}

export interface ThrottleWatch {
  readonly readings: ThrottleReadings
  readonly stop: () => void
}

export interface ThrottlePolls {
  /** Starts the polls that run only while an operation does, until every watch has stopped. */
  watch(rollout: string): ThrottleWatch
  stop(): void
}

export interface ThrottlePollsOptions {
  readonly openConnection: (purpose: string) => BoundedConnection
  readonly ownApplicationPrefix: string
  readonly rollouts: readonly MonitoredRollout[]
  readonly prometheus: PrometheusClient | null
  readonly now: () => number
  /** Readings that are polled all the time. */
  readonly database: () => DatabaseReadings
  readonly replicationLag: () => Reading<ReplicationLag>
  readonly custom: (rollout: string) => readonly CustomReading[]
}

const SERVER_INTERVAL_MS = 2_000
const WAL_INTERVAL_MS = 1_000
/** The latency that paces work: fast enough for a controller, long enough for a percentile. */
const LATENCY_INTERVAL_MS = 2_000
const LATENCY_WINDOW_MS = 10_000

/** What the throttle reads in addition to the signals that are always read. */
export function createThrottlePolls(options: ThrottlePollsOptions): ThrottlePolls {
  const { openConnection, ownApplicationPrefix, prometheus, now } = options
  const shared = { connection: openConnection('throttle'), intervalMs: SERVER_INTERVAL_MS, now }
  const waiters = pollLockWaiters({ connection: openConnection('pressure'), ownApplicationPrefix, now })
  const slots = pollSlotRetention(shared)
  const archive = pollArchiveBacklog(shared)
  const snapshot = pollOldestSnapshot({ ...shared, ownApplicationPrefix })
  const wal = pollWalRate({ connection: shared.connection, intervalMs: WAL_INTERVAL_MS, now })
  const serverPolls: Poll<unknown>[] = [waiters, slots, archive, snapshot, wal]
  const watchServer = createRefCountedPolls(serverPolls)
  const tables = new Map(options.rollouts.map((rollout) => [rollout.name, pollTable(rollout)]))

  function pollTable({ table, file }: MonitoredRollout) {
    const vacuum = pollAutovacuum({ ...shared, table: table.sql })
    const latency = file.api
      ? pollApiReadings({
          source: file.api,
          prometheus,
          now,
          intervalMs: LATENCY_INTERVAL_MS,
          windowMs: LATENCY_WINDOW_MS,
        })
      : null
    const polls: Poll<unknown>[] = latency === null ? [vacuum] : [vacuum, latency]
    return { vacuum, latency, polls, watch: createRefCountedPolls(polls) }
  }

  return {
    watch(rollout) {
      const table = tables.get(rollout)
      const stops = [watchServer(), table?.watch()]
      const readings: ThrottleReadings = {
        lockWaiters: waiters.read,
        replicationLag: options.replicationLag,
        slots: slots.read,
        archive: archive.read,
        oldestSnapshot: snapshot.read,
        connections: () => connectionRatio(options.database()),
        autovacuum: () => table?.vacuum.read() ?? { unknown: `rollout ${rollout} is not monitored` },
        walRate: wal.read,
        apiLatencyP95: () =>
          latencyP95OrZeroWhenIdle(table?.latency?.read() ?? unknownApiReadings('the rollout file has no api')),
        custom: () => options.custom(rollout),
      }
      return { readings, stop: () => stops.forEach((stop) => stop?.()) }
    },
    stop() {
      for (const poll of [...serverPolls, ...[...tables.values()].flatMap(({ polls }) => polls)]) poll.stop()
    },
  }
}

/** Without requests, nobody is slowed down: the latency is 0. */
function latencyP95OrZeroWhenIdle({ latencyP95, requestRate }: ApiReadings): Reading<number> {
  if (isKnown(latencyP95) || !isKnown(requestRate) || requestRate.value > 0) return latencyP95
  return { value: 0, at: requestRate.at }
}
