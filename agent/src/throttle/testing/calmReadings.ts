import type { Reading } from '../../signals/reading.ts'
import type { ThrottleReadings } from '../../signals/throttleReadings.ts'

type ReadingValues = {
  readonly [K in keyof ThrottleReadings]: ThrottleReadings[K] extends () => Reading<infer T> ? T : number
}

/** Values that differ from those of a calm server. A string is the reason why a reading is unknown. */
export type ChangedReadings = { readonly [K in keyof ReadingValues]?: ReadingValues[K] | string }

/** The readings of a calm server that are not a number; every number is 0. */
const CALM_VALUES: ChangedReadings = {
  lockWaiters: { waiters: 0, seconds: 0 },
  replicationLag: { replicas: 1, bytes: 0, seconds: 0 },
  slots: { slot: 'cdc', retainedBytes: 0, keptAtMostBytes: null, endangered: null },
  archive: { enabled: true, files: 0, failing: null },
  oldestTransaction: { seconds: 0, pid: null },
  oldestSnapshot: { seconds: 0, pid: null, holder: null },
  autovacuum: { seconds: 0, pid: null },
  nodes: [],
}

/**
 * The readings of a calm server except for the changed ones, which are read at each call. `custom` is the value of the
 * signal `queue`, whose limit is 100.
 */
export function calmReadings(changed: ChangedReadings): ThrottleReadings {
  const read = (name: keyof ThrottleReadings): Reading<unknown> => {
    const value = changed[name] ?? CALM_VALUES[name] ?? 0
    return typeof value === 'string' ? { unknown: value } : { value, at: Date.now() }
  }
  return new Proxy({} as ThrottleReadings, {
    get: (_, name: keyof ThrottleReadings) => () =>
      name === 'custom' ? [{ name: 'queue', limit: 100, reading: read(name) }] : read(name),
  })
}
