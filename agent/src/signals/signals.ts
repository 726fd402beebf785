import type { Database, EngineSettings } from '../database/connect.ts'
import { archiveBacklog } from './archive.ts'
import { autovacuum } from './autovacuum.ts'
import { apiReadings, type ApiReadings } from './api.ts'
import { customSignal, type CustomReading } from './custom.ts'
import { databaseActivity, type DatabaseReadings } from './database.ts'
import { history, type History } from './history.ts'
import { localHost, type HostReadings } from './host.ts'
import type { Poll } from './poll.ts'
import { apiNumbers, numbersOf } from './numbers.ts'
import { lockPressure } from './pressure.ts'
import { recentRequests, type RecentRequests } from './requests.ts'
import { probe, type Probe } from './probe.ts'
import { prometheus } from './prometheus.ts'
import { promqlHost } from './promqlHost.ts'
import type { Reading } from './reading.ts'
import { createRecording, type Recent } from './recent.ts'
import { record, recordApi } from './record.ts'
import { replicationLag, type ReplicationLag } from './replication.ts'
import { unknownApi } from './scrape.ts'
import { slotRetention } from './slots.ts'
import { oldestSnapshot } from './snapshot.ts'
import { queryTime } from './statements.ts'
import { connectionsRatio, latencyP95, type ThrottleReadings } from './throttle.ts'
import { walRate } from './wal.ts'
import type { WatchedRollout } from './watched.ts'
import { createWatching } from './watching.ts'

export interface SignalsOptions {
  readonly database: Database
  /** The agent's name: sessions whose application_name begins with `sti <agent> ` are our own. */
  readonly agent: string
  readonly rollouts: readonly WatchedRollout[]
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
  sample(rollout: string, seconds: number | null): void
  /** What was read in the last hour. */
  readonly recent: Recent
  /** What Prometheus knows of the time before; null: the agent has none. */
  readonly history: History | null
  /** Every signal of a rollout as one number, as it is now; what is per second is in `recent` only. */
  numbers(rollout: string): readonly (readonly [string, Reading<number>])[]
  /** The application's requests, counted; unknown while nobody watches them. */
  requests(rollout: string): Reading<RecentRequests>
  /** Counts requests twice a second from here on, until the returned function is called. */
  watchRequests(rollout: string): () => void
  /** What the throttle of a rollout looks at. What is dear is read from here on until `stop` is called. */
  watch(rollout: string): { readonly readings: ThrottleReadings; readonly stop: () => void }
}

const PRESSURE_MS = 2_000
const WAL_MS = 1_000
/** The latency that paces work: quick enough for a controller, long enough for a percentile. */
const LATENCY_MS = 2_000
const LATENCY_WINDOW_MS = 10_000
const INTERVAL_MS = 5_000
export const NORMAL_SAMPLING_SECONDS = INTERVAL_MS / 1_000
const BOUND_MS = 2_000

export function createSignals(options: SignalsOptions): Signals {
  const { database, agent, now } = options
  const ours = `sti ${agent} `.slice(0, 63)
  const probes: Probe[] = []
  const connection = (purpose: string, settings: EngineSettings = {}): Probe => {
    const opened = probe(
      () => database.engine({ purpose, statementTimeoutMs: BOUND_MS, readOnly: true, ...settings }),
      BOUND_MS,
    )
    probes.push(opened)
    return opened
  }
  const client = options.prometheusUrl === null ? null : prometheus(options.prometheusUrl)
  const recent = createRecording()
  const asking = { probe: connection('signals'), now }
  const activity = databaseActivity({ ...asking, ours, intervalMs: PRESSURE_MS })
  const statements = queryTime({ ...asking, intervalMs: INTERVAL_MS, onInterval: recent.addStatements })
  const replication = replicationLag({ ...asking, intervalMs: PRESSURE_MS })
  const dear = { probe: connection('throttle'), intervalMs: PRESSURE_MS, now }
  const waiters = lockPressure({ probe: connection('pressure'), ours, now })
  const slots = slotRetention(dear)
  const archive = archiveBacklog(dear)
  const snapshot = oldestSnapshot({ ...dear, ours })
  const wal = walRate({ ...dear, intervalMs: WAL_MS })
  const ofServer: Poll<unknown>[] = [waiters, slots, archive, snapshot, wal]
  const watchServer = createWatching(ofServer)
  const local = localHost({ diskFolder: options.diskFolder ?? '/', intervalMs: INTERVAL_MS, now })
  const watched = new Map(options.rollouts.map((rollout) => [rollout.name, watch(rollout)]))
  const raised = new Map<string, number>()
  const polls: Poll<unknown>[] = [activity, statements, replication, local]
  for (const { api, host, custom } of watched.values()) polls.push(api, ...(host ? [host] : []), ...custom)

  function watch({ name, searchPath, table, file }: WatchedRollout) {
    const vacuum = autovacuum({ ...dear, table: table.sql })
    const quick = { intervalMs: LATENCY_MS, windowMs: LATENCY_WINDOW_MS }
    const latency = file.api ? apiReadings({ source: file.api, prometheus: client, now, ...quick }) : null
    const every = { prometheus: client, intervalMs: INTERVAL_MS, now }
    const requests = recentRequests({ source: file.api?.histogram, now })
    return {
      vacuum,
      latency,
      watchTable: createWatching([vacuum, ...(latency ? [latency] : [])]),
      requests,
      watchRequests: createWatching([requests]),
      api: apiReadings({
        ...every,
        source: file.api,
        intervals: { intervalMs: INTERVAL_MS, onInterval: (readings) => recordApi(recent, name, readings) },
      }),
      host: typeof file.host === 'object' ? promqlHost({ ...every, name, queries: file.host.promql }) : null,
      custom: (file.signals ?? []).map((signal) =>
        customSignal({ ...every, signal, probe: connection(`signal ${signal.name}`, { searchPath }) }),
      ),
    }
  }

  const unheard = (rollout: string): { unknown: string } => ({ unknown: `no rollout ${rollout} is watched` })
  const readDatabase = (): DatabaseReadings => ({ ...activity.read(), querySeconds: statements.read() })
  const custom = (rollout: string): readonly CustomReading[] =>
    (watched.get(rollout)?.custom ?? []).map((each) => each.read())
  const throttle = (rollout: string): ThrottleReadings => {
    const of = watched.get(rollout)
    return {
      lockWaiters: waiters.read,
      replicationLag: replication.read,
      slots: slots.read,
      archive: archive.read,
      oldestSnapshot: snapshot.read,
      connections: () => connectionsRatio(readDatabase()),
      autovacuum: () => of?.vacuum.read() ?? unheard(rollout),
      walRate: wal.read,
      apiLatencyP95: () => latencyP95(of?.latency?.read() ?? unknownApi('the rollout file has no api')),
      custom: () => custom(rollout),
    }
  }

  const host = (rollout?: string): HostReadings => (watched.get(rollout ?? '')?.host ?? local).read()
  const api = (rollout: string): ApiReadings => watched.get(rollout)?.api.read() ?? unknownApi(unheard(rollout).unknown)
  const sources = { database: readDatabase, replication: replication.read, host, custom }
  const recorder = record(recent, sources, [...watched.keys()], INTERVAL_MS)

  return {
    start() {
      polls.forEach((each) => each.start())
      recorder.start()
    },
    async stop() {
      recorder.stop()
      for (const each of [...polls, ...ofServer]) each.stop()
      for (const { vacuum, latency, requests } of watched.values())
        [vacuum, latency, requests].forEach((each) => each?.stop())
      await Promise.all(probes.map((each) => each.end()))
    },
    database: readDatabase,
    replication: replication.read,
    host,
    api,
    custom,
    sample(rollout, seconds) {
      const of = watched.get(rollout)
      if (of === undefined) return
      const every = seconds === null ? INTERVAL_MS : seconds * 1_000
      if (seconds === null) raised.delete(rollout)
      else raised.set(rollout, every)
      for (const each of [of.api, of.host, ...of.custom]) each?.every(every)
      local.every(Math.min(INTERVAL_MS, ...raised.values()))
    },
    recent,
    history: client && history(client, options.rollouts),
    numbers: (rollout) => [...apiNumbers(api(rollout)), ...numbersOf(sources, rollout, undefined)],
    requests: (rollout) => watched.get(rollout)?.requests.read() ?? unheard(rollout),
    watchRequests: (rollout) => watched.get(rollout)?.watchRequests() ?? (() => undefined),
    watch(rollout) {
      const stops = [watchServer(), watched.get(rollout)?.watchTable()]
      return { readings: throttle(rollout), stop: () => stops.forEach((stop) => stop?.()) }
    },
  }
}
