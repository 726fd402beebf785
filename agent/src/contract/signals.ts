import type { Unit } from '../format/format.ts'

/** A built-in signal as people and machines see it; signals/signalTable.ts says how it is read. */
interface SignalDeclaration {
  readonly unit: Unit
  /** Where it comes from. The database is that of the environment; each rollout has its own application and host. */
  readonly source: 'application' | 'database' | 'host'
  /** The sentence that describes it, also the help text of its series. */
  readonly help: string
}

/** Every built-in signal by name, in the order in which they are shown. */
export const SIGNALS = {
  'api-latency-average': {
    unit: 'seconds',
    source: 'application',
    help: 'Mean duration of an application request.',
  },
  'api-latency-p95': {
    unit: 'seconds',
    source: 'application',
    help: '95th percentile of the duration of an application request.',
  },
  'api-error-ratio': {
    unit: 'ratio',
    source: 'application',
    help: 'Failed application requests / all application requests.',
  },
  'api-request-rate': {
    unit: 'countPerSecond',
    source: 'application',
    help: 'Application requests per second.',
  },
  'query-time': {
    unit: 'seconds',
    source: 'database',
    help: 'Mean execution time of the statements that ended in the last interval, except those of STI.',
  },
  'lock-wait': {
    unit: 'seconds',
    source: 'database',
    help: 'How long the session that has waited longest for a lock has been waiting.',
  },
  'buffer-hit-ratio': {
    unit: 'ratio',
    source: 'database',
    help: 'Blocks found in shared buffers / blocks requested, in the last interval.',
  },
  'oldest-transaction': {
    unit: 'seconds',
    source: 'database',
    help: 'Age of the oldest open transaction, except those of STI.',
  },
  connections: {
    unit: 'ratio',
    source: 'database',
    help: 'Client connections / max_connections.',
  },
  replication: {
    unit: 'bytes',
    source: 'database',
    help: 'WAL that the replica furthest behind has not replayed; absent without replicas.',
  },
  'host-cpu': {
    unit: 'ratio',
    source: 'host',
    help: 'CPU time in use / CPU time available, in the last interval.',
  },
  'host-memory': {
    unit: 'ratio',
    source: 'host',
    help: 'Memory in use / total memory.',
  },
  'host-disk': {
    unit: 'ratio',
    source: 'host',
    help: 'Disk space in use / usable disk space.',
  },
  'host-disk-operations': {
    unit: 'countPerSecond',
    source: 'host',
    help: 'Disk operations completed, by direction: read, write.',
  },
  'host-network': {
    unit: 'bytesPerSecond',
    source: 'host',
    help: 'Bytes sent over the network, by direction: receive, transmit.',
  },
} as const satisfies Record<string, SignalDeclaration>

export type SignalName = keyof typeof SIGNALS
export const SIGNAL_NAMES = Object.keys(SIGNALS) as SignalName[]

export function isSignalName(name: string): name is SignalName {
  return Object.hasOwn(SIGNALS, name)
}

/** The unit of a signal; null for a custom signal of a rollout file, whose unit is not known. */
export function signalUnit(name: string): Unit | null {
  return isSignalName(name) ? SIGNALS[name].unit : null
}
