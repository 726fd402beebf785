import { pollApiReadings } from './apiReadings.ts'
import { unknownApiReadings, type ApiReadings } from './apiScraper.ts'
import { pollAutovacuum } from './autovacuum.ts'
import { partitionsSql } from '../rollout/partitionsSql.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import { pollCitusNodes } from './citusNodes.ts'
import type { CustomReading } from './customSignal.ts'
import { connectionRatio, type DatabaseActivity } from './databaseActivity.ts'
import { createNodePolls, type NodeReadings } from './nodeReadings.ts'
import { type Poll, createRefCountedPolls } from './poll.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import { createServerQuery } from './serverQuery.ts'
import { SERVER_INTERVAL_MS, pollServer, type ServerReadings } from './serverReadings.ts'
import type { MonitoredRollout } from './signalConfig.ts'

/** Everything that the throttle of one rollout checks, from memory. */
export interface ThrottleReadings extends ServerReadings {
  /** The workers of Citus that have a shard of the table. */
  nodes(): Reading<readonly NodeReadings[]>
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
  /** Readings of the server that are polled all the time. */
  readonly database: () => DatabaseActivity
  readonly replicationLag: () => Reading<ReplicationLag>
  readonly custom: (rollout: string) => readonly CustomReading[]
}

/** The latency that paces work: fast enough for a controller, long enough for a percentile. */
const LATENCY_INTERVAL_MS = 2_000
const LATENCY_WINDOW_MS = 10_000

/** What the throttle reads in addition to the signals that are always read. */
export function createThrottlePolls(options: ThrottlePollsOptions): ThrottlePolls {
  const { openConnection, ownApplicationPrefix, prometheus, now } = options
  const connection = openConnection('throttle')
  const server = createServerQuery(connection, ownApplicationPrefix)
  const lockServer = createServerQuery(openConnection('pressure'), ownApplicationPrefix)
  const serverPolls = pollServer(server, lockServer, now)
  const watchServer = createRefCountedPolls(serverPolls.polls)
  const tables = new Map(options.rollouts.map((rollout) => [rollout.name, pollTable(rollout)]))
  const nodePolls = createNodePolls(options)

  function pollTable({ table, file }: MonitoredRollout) {
    const shared = { intervalMs: SERVER_INTERVAL_MS, now }
    const autovacuum = pollAutovacuum({
      ...shared,
      server,
      relations: partitionsSql(table.sql),
    })
    const workers = pollCitusNodes({ ...shared, connection, table: table.sql })
    const latency = file.api
      ? pollApiReadings({
          source: file.api,
          prometheus,
          now,
          intervalMs: LATENCY_INTERVAL_MS,
          windowMs: LATENCY_WINDOW_MS,
        })
      : null
    const polls: Poll<unknown>[] = [autovacuum, workers, ...(latency === null ? [] : [latency])]
    return { sql: table.sql, autovacuum, workers, latency, polls, watch: createRefCountedPolls(polls) }
  }

  return {
    watch(rollout) {
      const table = tables.get(rollout)
      const unmonitored = { unknown: `rollout ${rollout} is not monitored` }
      const nodes = table && nodePolls.watch(table.sql, table.workers)
      const stops = [watchServer(), table?.watch(), nodes?.stop]
      const readings: ThrottleReadings = {
        lockWaiters: serverPolls.lockWaiters.read,
        replicationLag: options.replicationLag,
        slots: serverPolls.slots.read,
        archive: serverPolls.archive.read,
        oldestSnapshot: serverPolls.oldestSnapshot.read,
        oldestTransaction: () => options.database().oldestTransaction,
        connections: () => connectionRatio(options.database()),
        autovacuum: () => table?.autovacuum.read() ?? unmonitored,
        walRate: serverPolls.walRate.read,
        nodes: () => nodes?.read() ?? unmonitored,
        apiLatencyP95: () =>
          latencyP95OrZeroWhenIdle(table?.latency?.read() ?? unknownApiReadings('the rollout file has no api')),
        custom: () => options.custom(rollout),
      }
      return { readings, stop: () => stops.forEach((stop) => stop?.()) }
    },
    stop() {
      for (const poll of [...serverPolls.polls, ...[...tables.values()].flatMap(({ polls }) => polls)]) poll.stop()
      nodePolls.stop()
    },
  }
}

/** Without requests, nobody is slowed down: the latency is 0. */
function latencyP95OrZeroWhenIdle({ latencyP95, requestRate }: ApiReadings): Reading<number> {
  if (isKnown(latencyP95) || !isKnown(requestRate) || requestRate.value > 0) return latencyP95
  return { value: 0, at: requestRate.at }
}
