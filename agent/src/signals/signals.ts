import type { Database, EngineSettings } from '../database/connect.ts'
import { pollApiReadings } from './apiReadings.ts'
import { unknownApiReadings, type ApiReadings } from './apiScraper.ts'
import { createBoundedConnection, type BoundedConnection } from './boundedConnection.ts'
import { pollCustomSignal, type CustomReading } from './customSignal.ts'
import { pollDatabaseActivity, type DatabaseReadings } from './databaseActivity.ts'
import { pollLocalHost, type HostReadings } from './localHost.ts'
import { type Poll, createRefCountedPolls } from './poll.ts'
import { createPrometheusClient } from './prometheusClient.ts'
import { pollPromqlHost } from './promqlHost.ts'
import { pollQueryTime } from './queryTime.ts'
import type { Reading } from './reading.ts'
import { createReadingBuffer, type RecentReadings } from './readingBuffer.ts'
import { pollRecentRequests, type RecentRequests } from './recentRequests.ts'
import { createRecorder, recordApiReadings } from './recorder.ts'
import { pollReplicationLag, type ReplicationLag } from './replicationLag.ts'
import { createRolloutQuery, type RolloutQuery } from './rolloutQuery.ts'
import type { CustomSignal, MonitoredRollout } from './signalConfig.ts'
import { createSignalHistory, type SignalHistory } from './signalHistory.ts'
import { createServerQuery } from './serverQuery.ts'
import { signalValues } from './signalTable.ts'
import { createThrottlePolls, type ThrottleWatch } from './throttleReadings.ts'

export interface SignalsOptions {
  readonly database: Database
  /** The name of the agent: sessions whose application_name starts with `sti <agent> ` are its own. */
  readonly agent: string
  readonly rollouts: readonly MonitoredRollout[]
  readonly prometheusUrl: string | null
  /** The folder whose disk is measured. Default `/`. */
  readonly diskFolder?: string
  readonly now: () => number
}

/** All readings, from memory: nothing here waits. */
export interface Signals {
  start(): void
  stop(): Promise<void>
  database(): DatabaseReadings
  replication(): Reading<ReplicationLag>
  /** The host of the rollout; without a name, this machine. */
  host(rollout?: string): HostReadings
  api(rollout: string): ApiReadings
  custom(rollout: string): readonly CustomReading[]
  /**
   * Sets how often the application, the host and the custom signals of a rollout are read; null: the default. The query
   * time keeps its interval, because it is the mean of that interval.
   */
  setSampleInterval(rollout: string, seconds: number | null): void
  /** The readings of the last hour. */
  readonly recent: RecentReadings
  /** The past in Prometheus; null: the agent has no Prometheus. */
  readonly history: SignalHistory | null
  /** Every signal of a rollout as one number, as of now; rates of the host are only in `recent`. */
  values(rollout: string): readonly (readonly [string, Reading<number>])[]
  /** The application's request counts; unknown while they are not monitored. */
  requests(rollout: string): Reading<RecentRequests>
  /** Counts requests twice a second until the returned function is called. */
  watchRequests(rollout: string): () => void
  /** What the throttle of a rollout checks. Expensive readings are taken until `stop` is called. */
  watchThrottle(rollout: string): ThrottleWatch
}

const SERVER_INTERVAL_MS = 2_000
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
  const connection = openConnection('signals')
  const shared = { server: createServerQuery(connection, ownApplicationPrefix), now }
  const activity = pollDatabaseActivity({ ...shared, intervalMs: SERVER_INTERVAL_MS })
  const statements = pollQueryTime({
    connection,
    now,
    intervalMs: SAMPLE_INTERVAL_MS,
    onInterval: recent.addStatements,
  })
  const replication = pollReplicationLag({ ...shared, intervalMs: SERVER_INTERVAL_MS })
  const local = pollLocalHost({ diskFolder: options.diskFolder ?? '/', intervalMs: SAMPLE_INTERVAL_MS, now })
  const monitored = new Map(options.rollouts.map((rollout) => [rollout.name, pollRollout(rollout)]))
  const sampleIntervals = new Map<string, number>()
  const polls: Poll<unknown>[] = [activity, statements, replication, local]
  for (const { api, host, custom } of monitored.values()) polls.push(api, ...(host ? [host] : []), ...custom)

  function pollRollout(rollout: MonitoredRollout) {
    const { name, file } = rollout
    const sampled = { prometheus, intervalMs: SAMPLE_INTERVAL_MS, now }
    const requests = pollRecentRequests({ source: file.api, prometheus, now })
    return {
      requests,
      watchRequests: createRefCountedPolls([requests]),
      api: pollApiReadings({
        ...sampled,
        source: file.api,
        intervalListener: {
          intervalMs: SAMPLE_INTERVAL_MS,
          onInterval: (readings) => recordApiReadings(recent, name, readings),
        },
      }),
      host: typeof file.host === 'object' ? pollPromqlHost({ ...sampled, name, queries: file.host.promql }) : null,
      custom: (file.signals ?? []).map((signal) =>
        pollCustomSignal({ ...sampled, signal, query: signalQuery(rollout, signal) }),
      ),
    }
  }

  function signalQuery(scope: MonitoredRollout, { name, sql: query }: CustomSignal): RolloutQuery | null {
    if (query === undefined) return null
    return createRolloutQuery({
      connection: openConnection(`signal ${name}`),
      open: () => database.engine({ purpose: `signal ${name}`, statementTimeoutMs: QUERY_TIMEOUT_MS }),
      scope,
      query,
    })
  }

  const unknownRollout = (rollout: string): { unknown: string } => ({ unknown: `rollout ${rollout} is not monitored` })
  const readDatabase = (): DatabaseReadings => ({ ...activity.read(), querySeconds: statements.read() })
  const custom = (rollout: string): readonly CustomReading[] =>
    (monitored.get(rollout)?.custom ?? []).map((poll) => poll.read())
  const host = (rollout?: string): HostReadings => (monitored.get(rollout ?? '')?.host ?? local).read()
  const api = (rollout: string): ApiReadings =>
    monitored.get(rollout)?.api.read() ?? unknownApiReadings(unknownRollout(rollout).unknown)
  const sources = { database: readDatabase, replication: replication.read, host, api, custom }
  const recorder = createRecorder(recent, sources, [...monitored.keys()], SAMPLE_INTERVAL_MS)
  const throttlePolls = createThrottlePolls({
    openConnection,
    ownApplicationPrefix,
    rollouts: options.rollouts,
    prometheus,
    now,
    database: readDatabase,
    replicationLag: replication.read,
    custom,
  })

  return {
    start() {
      for (const poll of polls) poll.start()
      recorder.start()
    },
    async stop() {
      await recorder.stop()
      for (const poll of [...polls, ...[...monitored.values()].map(({ requests }) => requests)]) poll.stop()
      throttlePolls.stop()
      await Promise.all(connections.map((connection) => connection.end()))
    },
    database: readDatabase,
    replication: replication.read,
    host,
    api,
    custom,
    setSampleInterval(rollout, seconds) {
      const entry = monitored.get(rollout)
      if (entry === undefined) return
      const intervalMs = seconds === null ? SAMPLE_INTERVAL_MS : seconds * 1_000
      if (seconds === null) sampleIntervals.delete(rollout)
      else sampleIntervals.set(rollout, intervalMs)
      for (const poll of [entry.api, entry.host, ...entry.custom]) poll?.setIntervalMs(intervalMs)
      local.setIntervalMs(Math.min(SAMPLE_INTERVAL_MS, ...sampleIntervals.values()))
    },
    recent,
    history: prometheus && createSignalHistory(prometheus, options.rollouts),
    values: (rollout) => signalValues(sources, rollout),
    requests: (rollout) => monitored.get(rollout)?.requests.read() ?? unknownRollout(rollout),
    watchRequests: (rollout) => monitored.get(rollout)?.watchRequests() ?? (() => undefined),
    watchThrottle: throttlePolls.watch,
  }
}
