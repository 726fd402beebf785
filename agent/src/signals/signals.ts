import type { Database, EngineSettings } from '../database/connect.ts'
import { pollArchiveBacklog } from './archiveBacklog.ts'
import { pollAutovacuum } from './autovacuum.ts'
import { pollApiReadings } from './apiReadings.ts'
import { pollCustomSignal, type CustomReading } from './customSignal.ts'
import { connectionRatio, pollDatabaseActivity, type DatabaseReadings } from './databaseActivity.ts'
import { createSignalHistory, type SignalHistory } from './signalHistory.ts'
import { pollLocalHost, type HostReadings } from './localHost.ts'
import type { Poll } from './poll.ts'
import { signalValues } from './signalTable.ts'
import { pollLockWaiters } from './lockWaiters.ts'
import { pollRecentRequests, type RecentRequests } from './recentRequests.ts'
import { createBoundedConnection, type BoundedConnection } from './boundedConnection.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { pollPromqlHost } from './promqlHost.ts'
import type { Reading } from './reading.ts'
import { createReadingBuffer, type RecentReadings } from './readingBuffer.ts'
import { createRecorder, recordApiReadings } from './recorder.ts'
import { pollReplicationLag, type ReplicationLag } from './replicationLag.ts'
import { unknownApiReadings, type ApiReadings } from './apiScraper.ts'
import { pollSlotRetention } from './replicationSlots.ts'
import { pollOldestSnapshot } from './oldestSnapshot.ts'
import { pollQueryTime } from './queryTime.ts'
import { latencyP95OrZeroWhenIdle, type ThrottleReadings } from './throttleReadings.ts'
import { pollWalRate } from './walRate.ts'
import type { MonitoredRollout } from './signalConfig.ts'
import { createRefCountedPolls } from './refCountedPolls.ts'

export interface SignalsOptions {
  readonly database: Database
  /** The agent's name: sessions whose application_name begins with `sti <agent> ` are our own. */
  readonly agent: string
  readonly rollouts: readonly MonitoredRollout[]
  readonly prometheusUrl: string | null
  /** Where the disk's used ratio is read. Default `/`. */
  readonly diskFolder?: string
  readonly now: () => number
}

/** All readings, from memory: nothing here waits. Unknown is not good. */
export interface Signals {
  start(): void
  stop(): Promise<void>
  database(): DatabaseReadings
  replication(): Reading<ReplicationLag>
  /** The rollout's host; without a name this machine. */
  host(rollout?: string): HostReadings
  api(rollout: string): ApiReadings
  custom(rollout: string): readonly CustomReading[]
  /**
   * How often the application, the host and the file's own signals of a rollout are read from now on; null: as usual.
   * The query time keeps its interval, because that is what it is the mean of.
   */
  setSampleInterval(rollout: string, seconds: number | null): void
  /** What was read in the last hour. */
  readonly recent: RecentReadings
  /** What Prometheus knows of the time before; null: the agent has none. */
  readonly history: SignalHistory | null
  /** Every signal of a rollout as one number, as it is now; what is per second is in `recent` only. */
  values(rollout: string): readonly (readonly [string, Reading<number>])[]
  /** The application's requests, counted; unknown while nobody watches them. */
  requests(rollout: string): Reading<RecentRequests>
  /** Counts requests twice a second from here on, until the returned function is called. */
  watchRequests(rollout: string): () => void
  /** What the throttle of a rollout looks at. What is dear is read from here on until `stop` is called. */
  watchThrottle(rollout: string): { readonly readings: ThrottleReadings; readonly stop: () => void }
}

const SERVER_INTERVAL_MS = 2_000
const WAL_INTERVAL_MS = 1_000
/** The latency that paces work: quick enough for a controller, long enough for a percentile. */
const LATENCY_INTERVAL_MS = 2_000
const LATENCY_WINDOW_MS = 10_000
const SAMPLE_INTERVAL_MS = 5_000
export const DEFAULT_SAMPLE_INTERVAL_SECONDS = SAMPLE_INTERVAL_MS / 1_000
const QUERY_TIMEOUT_MS = 2_000

export function createSignals(options: SignalsOptions): Signals {
  const { database, agent, now } = options
  const ownApplicationPrefix = `sti ${agent} `.slice(0, 63)
  const connections: BoundedConnection[] = []
  const openConnection = (purpose: string, settings: EngineSettings = {}): BoundedConnection => {
    const connection = createBoundedConnection(
      () => database.engine({ purpose, statementTimeoutMs: QUERY_TIMEOUT_MS, readOnly: true, ...settings }),
      QUERY_TIMEOUT_MS,
    )
    connections.push(connection)
    return connection
  }
  const prometheus = options.prometheusUrl === null ? null : createPrometheusClient(options.prometheusUrl)
  const recent = createReadingBuffer()
  const activityOptions = { connection: openConnection('signals'), now }
  const activity = pollDatabaseActivity({ ...activityOptions, ownApplicationPrefix, intervalMs: SERVER_INTERVAL_MS })
  const statements = pollQueryTime({
    ...activityOptions,
    intervalMs: SAMPLE_INTERVAL_MS,
    onInterval: recent.addStatements,
  })
  const replication = pollReplicationLag({ ...activityOptions, intervalMs: SERVER_INTERVAL_MS })
  const throttleOptions = { connection: openConnection('throttle'), intervalMs: SERVER_INTERVAL_MS, now }
  const waiters = pollLockWaiters({ connection: openConnection('pressure'), ownApplicationPrefix, now })
  const slots = pollSlotRetention(throttleOptions)
  const archive = pollArchiveBacklog(throttleOptions)
  const snapshot = pollOldestSnapshot({ ...throttleOptions, ownApplicationPrefix })
  const wal = pollWalRate({ ...throttleOptions, intervalMs: WAL_INTERVAL_MS })
  const serverPolls: Poll<unknown>[] = [waiters, slots, archive, snapshot, wal]
  const watchServer = createRefCountedPolls(serverPolls)
  const local = pollLocalHost({ diskFolder: options.diskFolder ?? '/', intervalMs: SAMPLE_INTERVAL_MS, now })
  const monitored = new Map(options.rollouts.map((rollout) => [rollout.name, monitorRollout(rollout)]))
  const sampleIntervals = new Map<string, number>()
  const polls: Poll<unknown>[] = [activity, statements, replication, local]
  for (const { api, host, custom } of monitored.values()) polls.push(api, ...(host ? [host] : []), ...custom)

  function monitorRollout({ name, searchPath, table, file }: MonitoredRollout) {
    const vacuum = pollAutovacuum({ ...throttleOptions, table: table.sql })
    const latencyOptions = { intervalMs: LATENCY_INTERVAL_MS, windowMs: LATENCY_WINDOW_MS }
    const latency = file.api ? pollApiReadings({ source: file.api, prometheus, now, ...latencyOptions }) : null
    const every = { prometheus, intervalMs: SAMPLE_INTERVAL_MS, now }
    const requests = pollRecentRequests({ source: file.api?.histogram, now })
    return {
      vacuum,
      latency,
      watchTable: createRefCountedPolls([vacuum, ...(latency ? [latency] : [])]),
      requests,
      watchRequests: createRefCountedPolls([requests]),
      api: pollApiReadings({
        ...every,
        source: file.api,
        intervalListener: {
          intervalMs: SAMPLE_INTERVAL_MS,
          onInterval: (readings) => recordApiReadings(recent, name, readings),
        },
      }),
      host: typeof file.host === 'object' ? pollPromqlHost({ ...every, name, queries: file.host.promql }) : null,
      custom: (file.signals ?? []).map((signal) =>
        pollCustomSignal({ ...every, signal, connection: openConnection(`signal ${signal.name}`, { searchPath }) }),
      ),
    }
  }

  const unknownRollout = (rollout: string): { unknown: string } => ({ unknown: `no rollout ${rollout} is watched` })
  const readDatabase = (): DatabaseReadings => ({ ...activity.read(), querySeconds: statements.read() })
  const custom = (rollout: string): readonly CustomReading[] =>
    (monitored.get(rollout)?.custom ?? []).map((each) => each.read())
  const throttleReadings = (rollout: string): ThrottleReadings => {
    const entry = monitored.get(rollout)
    return {
      lockWaiters: waiters.read,
      replicationLag: replication.read,
      slots: slots.read,
      archive: archive.read,
      oldestSnapshot: snapshot.read,
      connections: () => connectionRatio(readDatabase()),
      autovacuum: () => entry?.vacuum.read() ?? unknownRollout(rollout),
      walRate: wal.read,
      apiLatencyP95: () =>
        latencyP95OrZeroWhenIdle(entry?.latency?.read() ?? unknownApiReadings('the rollout file has no api')),
      custom: () => custom(rollout),
    }
  }

  const host = (rollout?: string): HostReadings => (monitored.get(rollout ?? '')?.host ?? local).read()
  const api = (rollout: string): ApiReadings =>
    monitored.get(rollout)?.api.read() ?? unknownApiReadings(unknownRollout(rollout).unknown)
  const sources = { database: readDatabase, replication: replication.read, host, api, custom }
  const recorder = createRecorder(recent, sources, [...monitored.keys()], SAMPLE_INTERVAL_MS)

  return {
    start() {
      polls.forEach((each) => each.start())
      recorder.start()
    },
    async stop() {
      await recorder.stop()
      for (const each of [...polls, ...serverPolls]) each.stop()
      for (const { vacuum, latency, requests } of monitored.values())
        [vacuum, latency, requests].forEach((each) => each?.stop())
      await Promise.all(connections.map((each) => each.end()))
    },
    database: readDatabase,
    replication: replication.read,
    host,
    api,
    custom,
    setSampleInterval(rollout, seconds) {
      const entry = monitored.get(rollout)
      if (entry === undefined) return
      const every = seconds === null ? SAMPLE_INTERVAL_MS : seconds * 1_000
      if (seconds === null) sampleIntervals.delete(rollout)
      else sampleIntervals.set(rollout, every)
      for (const each of [entry.api, entry.host, ...entry.custom]) each?.setIntervalMs(every)
      local.setIntervalMs(Math.min(SAMPLE_INTERVAL_MS, ...sampleIntervals.values()))
    },
    recent,
    history: prometheus && createSignalHistory(prometheus, options.rollouts),
    values: (rollout) => signalValues(sources, rollout),
    requests: (rollout) => monitored.get(rollout)?.requests.read() ?? unknownRollout(rollout),
    watchRequests: (rollout) => monitored.get(rollout)?.watchRequests() ?? (() => undefined),
    watchThrottle(rollout) {
      const stops = [watchServer(), monitored.get(rollout)?.watchTable()]
      return { readings: throttleReadings(rollout), stop: () => stops.forEach((stop) => stop?.()) }
    },
  }
}
