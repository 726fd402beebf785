import type { ApiReadings } from './api.ts'
import type { CustomReading } from './custom.ts'
import type { DatabaseReadings } from './database.ts'
import type { HostReadings } from './host.ts'
import type { Directions } from './proc.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ReplicationLag } from './replication.ts'
import { connectionsRatio } from './throttle.ts'

/** What a rollout's signals are read from. */
export interface NumberSources {
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
export function apiNumbers(readings: ApiReadings): [string, Reading<number>][] {
  return Object.entries(API_SIGNALS).map(([signal, name]) => [signal, readings[name]])
}

/**
 * Every other signal of a rollout as one number, by name: seconds, ratios of 0 to 1, bytes. A counter of the host is
 * per second since `before`, the readings of the last time.
 */
export function numbersOf(
  sources: NumberSources,
  rollout: string,
  before: HostReadings | undefined,
): [string, Reading<number>][] {
  const database = sources.database()
  const host = sources.host(rollout)
  const ours: [string, Reading<number>][] = [
    ['query-time', database.querySeconds],
    ['lock-wait', database.lockWaitSeconds],
    ['buffer-hit-ratio', database.bufferHitRatio],
    ['oldest-transaction', of(database.oldestTransaction, ({ seconds }) => seconds)],
    ['connections', connectionsRatio(database)],
    ['replication', of(sources.replication(), ({ bytes }) => bytes)],
    ['host-cpu', host.cpu],
    ['host-memory', host.memory],
    ['host-disk', host.disk],
    ['host-disk-operations', perSecond(host.diskOperations, before?.diskOperations)],
    ['host-network', perSecond(host.networkBytes, before?.networkBytes)],
  ]
  const taken = new Set([...ours.map(([name]) => name), ...Object.keys(API_SIGNALS)])
  const own = sources.custom(rollout).filter(({ name }) => !taken.has(name))
  return [...ours, ...own.map(({ name, reading }): [string, Reading<number>] => [name, reading])]
}

function of<T>(reading: Reading<T>, number: (value: T) => number): Reading<number> {
  return isKnown(reading) ? { value: number(reading.value), at: reading.at } : reading
}

function perSecond(now: Reading<Directions>, before: Reading<Directions> | undefined): Reading<number> {
  if (!isKnown(now)) return now
  if (!before || !isKnown(before) || now.at <= before.at) return { unknown: 'the first interval is not over yet' }
  const grown = total(now.value) - total(before.value)
  if (grown < 0) return { unknown: 'its counters began anew' }
  return { value: (grown * 1000) / (now.at - before.at), at: now.at }
}

const total = (directions: Directions): number => Object.values(directions).reduce((sum, value) => sum + value, 0)
