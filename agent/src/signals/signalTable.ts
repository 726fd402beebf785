import { SIGNAL_NAMES, SIGNALS, isSignalName, type SignalName } from '../contract/index.ts'
import type { ApiReadings, ApiValues } from './apiScraper.ts'
import type { CustomReading } from './customSignal.ts'
import { connectionRatio, type DatabaseReadings } from './databaseActivity.ts'
import type { HostReadings } from './localHost.ts'
import type { DirectionCounters } from './procfs.ts'
import { isKnown, mapReading, requireNumber, type Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import type { ApiSource, HostQueries } from './signalConfig.ts'

/** Where the signals of a rollout are read from. */
export interface SignalSources {
  database(): DatabaseReadings
  replication(): Reading<ReplicationLag>
  host(rollout?: string): HostReadings
  api(rollout: string): ApiReadings
  custom(rollout: string): readonly CustomReading[]
}

/** What a signal is computed from, all at one moment. */
interface SignalInput {
  readonly database: DatabaseReadings
  readonly replication: Reading<ReplicationLag>
  readonly host: HostReadings
  /** The host's readings of the last time: a counter becomes a rate since then. */
  readonly previousHost: HostReadings | undefined
  readonly api: ApiReadings
}

/** The PromQL of a rollout file, and the label matchers of the series that the agents export. */
export interface HistoryContext {
  /** Undefined: the file has no `api`. */
  readonly api: ApiSource | undefined
  readonly host: HostQueries | null
  readonly rollout: string
  readonly environment: string
}

interface SignalSource {
  /** As one number: seconds, a ratio of 0 to 1, bytes, or per second. */
  read(input: SignalInput): Reading<number>
  /** The reading that `sti_signal_up` uses if the value itself is unknown for longer: a rate needs two readings. */
  readRaw?(input: SignalInput): Reading<unknown>
  /** The PromQL of its past. */
  history(context: HistoryContext): string
}

const APPLICATION_SIGNALS = {
  'api-latency-average': apiSignal('latencyAverage', 'sti_api_latency_average_seconds'),
  'api-latency-p95': apiSignal('latencyP95', 'sti_api_latency_p95_seconds'),
  'api-error-ratio': apiSignal('errorRatio', 'sti_api_error_ratio'),
  'api-request-rate': apiSignal('requestRate', 'sti_api_requests_per_second'),
}

/** How each built-in signal is read, now and from Prometheus. A signal that is missing here does not compile. */
export const SIGNAL_TABLE = {
  ...APPLICATION_SIGNALS,
  'query-time': {
    read: ({ database }) => database.querySeconds,
    history: ({ environment }) => `max(sti_database_query_seconds${environment})`,
  },
  'lock-wait': {
    read: ({ database }) => database.lockWaitSeconds,
    history: ({ environment }) => `max(sti_database_lock_wait_seconds${environment})`,
  },
  'buffer-hit-ratio': {
    read: ({ database }) => database.bufferHitRatio,
    history: ({ environment }) => `min(sti_database_buffer_hit_ratio${environment})`,
  },
  'oldest-transaction': {
    read: ({ database }) => mapReading(database.oldestTransaction, ({ seconds }) => seconds),
    history: ({ environment }) => `max(sti_oldest_transaction_seconds${environment})`,
  },
  connections: {
    read: ({ database }) => connectionRatio(database),
    readRaw: ({ database }) => database.connections,
    history: ({ environment }) =>
      `sum(max by (state) (sti_database_connections${environment})) / max(sti_database_connections_limit${environment})`,
  },
  replication: {
    read: ({ replication }) => mapReading(replication, ({ bytes }) => bytes),
    history: ({ environment }) => `max(sti_replication_lag_bytes${environment})`,
  },
  'host-cpu': hostRatioSignal('cpu', 'sti_host_cpu_ratio'),
  'host-memory': hostRatioSignal('memory', 'sti_host_memory_ratio'),
  'host-disk': hostRatioSignal('disk', 'sti_host_disk_used_ratio'),
  'host-disk-operations': hostCounterSignal('diskOperations', 'diskOperations', 'sti_host_disk_operations_total'),
  'host-network': hostCounterSignal('networkBytes', 'network', 'sti_host_network_bytes_total'),
} satisfies Record<SignalName, SignalSource>

/** The application's signals, by name. */
export function apiSignalValues(api: ApiReadings): [SignalName, Reading<number>][] {
  return Object.entries(APPLICATION_SIGNALS).map(([name, signal]) => [name as SignalName, signal.read({ api })])
}

/** Every signal of a rollout as one number, by name: the built-in ones, then those of the rollout file. */
export function signalValues(
  sources: SignalSources,
  rollout: string,
  previousHost?: HostReadings,
): [string, Reading<number>][] {
  const input = readInput(sources, rollout, previousHost)
  const builtIn = SIGNAL_NAMES.map((name): [string, Reading<number>] => [
    name,
    requireNumber(SIGNAL_TABLE[name].read(input)),
  ])
  return [...builtIn, ...customSignals(sources, rollout)]
}

/** The signals of the database for `sti_signal_up`: their labels have no rollout. */
export function databaseSignals(sources: SignalSources): [string, Reading<unknown>][] {
  return rawReadings(sources, '', ({ source }) => source === 'database')
}

/** The signals of a rollout's application and host and its custom signals, for `sti_signal_up`. */
export function rolloutSignals(sources: SignalSources, rollout: string): [string, Reading<unknown>][] {
  const builtIn = rawReadings(sources, rollout, ({ source }) => source !== 'database')
  return [...builtIn, ...customSignals(sources, rollout)]
}

/** The PromQL of each built-in signal that Prometheus can have. */
export function historyQueries(context: HistoryContext): [string, string][] {
  return SIGNAL_NAMES.filter((name) => SIGNALS[name].source !== 'application' || context.api !== undefined).map(
    (name) => [name, SIGNAL_TABLE[name].history(context)],
  )
}

function readInput(sources: SignalSources, rollout: string, previousHost: HostReadings | undefined): SignalInput {
  return {
    database: sources.database(),
    replication: sources.replication(),
    host: sources.host(rollout),
    previousHost,
    api: sources.api(rollout),
  }
}

function rawReadings(
  sources: SignalSources,
  rollout: string,
  includes: (signal: (typeof SIGNALS)[SignalName]) => boolean,
): [string, Reading<unknown>][] {
  const input = readInput(sources, rollout, undefined)
  return SIGNAL_NAMES.filter((name) => includes(SIGNALS[name])).map((name) => {
    const signal: SignalSource = SIGNAL_TABLE[name]
    return [name, (signal.readRaw ?? signal.read)(input)]
  })
}

/** A built-in signal comes before a custom one of the same name. */
function customSignals(sources: SignalSources, rollout: string): [string, Reading<number>][] {
  return sources
    .custom(rollout)
    .filter(({ name }) => !isSignalName(name))
    .map(({ name, reading }) => [name, reading])
}

function apiSignal(
  reading: keyof ApiValues,
  series: string,
): Omit<SignalSource, 'read'> & { read(input: Pick<SignalInput, 'api'>): Reading<number> } {
  return {
    read: ({ api }) => api[reading],
    history: ({ api, rollout }) => api?.promql?.[reading] ?? `max(${series}${rollout})`,
  }
}

function hostRatioSignal(reading: 'cpu' | 'memory' | 'disk', series: string): SignalSource {
  return {
    read: ({ host }) => host[reading],
    history: ({ host, environment }) => host?.[reading] ?? `max(${series}${environment})`,
  }
}

function hostCounterSignal(
  reading: 'diskOperations' | 'networkBytes',
  query: 'diskOperations' | 'network',
  series: string,
): SignalSource {
  return {
    read: ({ host, previousHost }) => ratePerSecond(host[reading], previousHost?.[reading]),
    readRaw: ({ host }) => host[reading],
    history: ({ host, environment }) =>
      host
        ? `sum(rate((${host[query]})[1m:15s]))`
        : `sum(max by (host, direction) (rate(${series}${environment}[1m])))`,
  }
}

function ratePerSecond(
  current: Reading<DirectionCounters>,
  previous: Reading<DirectionCounters> | undefined,
): Reading<number> {
  if (!isKnown(current)) return current
  if (!previous || !isKnown(previous) || current.at <= previous.at)
    return { unknown: 'the first interval is not over yet' }
  const growth = sumDirections(current.value) - sumDirections(previous.value)
  if (growth < 0) return { unknown: 'its counters were reset' }
  return { value: (growth * 1000) / (current.at - previous.at), at: current.at }
}

function sumDirections(counters: DirectionCounters): number {
  return Object.values(counters).reduce((sum, value) => sum + value, 0)
}
