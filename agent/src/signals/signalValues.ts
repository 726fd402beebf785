import type { ApiReadings } from './apiReadings.ts'
import type { CustomReading } from './customSignal.ts'
import type { DatabaseReadings } from './databaseActivity.ts'
import type { HostReadings } from './localHost.ts'
import type { DirectionCounters } from './procfs.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import { connectionRatio } from './throttleReadings.ts'

/** What a rollout's signals are read from. */
export interface SignalSources {
  database(): DatabaseReadings
  replication(): Reading<ReplicationLag>
  host(rollout?: string): HostReadings
  custom(rollout: string): readonly CustomReading[]
}

/** The application's four readings by the name of their signal: seconds, seconds, 0-1, per second. */
export const API_SIGNALS = {
  'api-latency-average': 'latencyAverage',
  'api-latency-p95': 'latencyP95',
  'api-error-ratio': 'errorRatio',
  'api-request-rate': 'requestRate',
} as const satisfies Record<string, keyof ApiReadings>

/** The application's readings, each by the name of its signal. */
export function apiSignalValues(readings: ApiReadings): [string, Reading<number>][] {
  return Object.entries(API_SIGNALS).map(([signal, name]) => [signal, readings[name]])
}

/**
 * Every other signal of a rollout as one number, by name: seconds, ratios of 0 to 1, bytes. A counter of the host is
 * per second since `before`, the readings of the last time.
 */
export function signalValues(
  sources: SignalSources,
  rollout: string,
  previousHost: HostReadings | undefined,
): [string, Reading<number>][] {
  const database = sources.database()
  const host = sources.host(rollout)
  const builtIn: [string, Reading<number>][] = [
    ['query-time', database.querySeconds],
    ['lock-wait', database.lockWaitSeconds],
    ['buffer-hit-ratio', database.bufferHitRatio],
    ['oldest-transaction', mapReading(database.oldestTransaction, ({ seconds }) => seconds)],
    ['connections', connectionRatio(database)],
    ['replication', mapReading(sources.replication(), ({ bytes }) => bytes)],
    ['host-cpu', host.cpu],
    ['host-memory', host.memory],
    ['host-disk', host.disk],
    ['host-disk-operations', ratePerSecond(host.diskOperations, previousHost?.diskOperations)],
    ['host-network', ratePerSecond(host.networkBytes, previousHost?.networkBytes)],
  ]
  const reservedNames = new Set([...builtIn.map(([name]) => name), ...Object.keys(API_SIGNALS)])
  const custom = sources.custom(rollout).filter(({ name }) => !reservedNames.has(name))
  return [...builtIn, ...custom.map(({ name, reading }): [string, Reading<number>] => [name, reading])]
}

function mapReading<T>(reading: Reading<T>, toNumber: (value: T) => number): Reading<number> {
  return isKnown(reading) ? { value: toNumber(reading.value), at: reading.at } : reading
}

function ratePerSecond(
  now: Reading<DirectionCounters>,
  previous: Reading<DirectionCounters> | undefined,
): Reading<number> {
  if (!isKnown(now)) return now
  if (!previous || !isKnown(previous) || now.at <= previous.at) return { unknown: 'the first interval is not over yet' }
  const growth = sumDirections(now.value) - sumDirections(previous.value)
  if (growth < 0) return { unknown: 'its counters began anew' }
  return { value: (growth * 1000) / (now.at - previous.at), at: now.at }
}

const sumDirections = (directions: DirectionCounters): number =>
  Object.values(directions).reduce((sum, value) => sum + value, 0)
