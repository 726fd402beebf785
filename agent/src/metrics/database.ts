import { isKnown } from '../signals/reading.ts'
import { perEnvironment, type MetricFamily } from './metricFamily.ts'

export const up: MetricFamily = {
  name: 'sti_database_up',
  type: 'gauge',
  help: '1 when PostgreSQL answered lately, 0 when it did not.',
  labels: [],
  // connectionsLimit needs no privilege: it is unknown only when nothing answers.
  samples: ({ signals }) => [{ labels: {}, value: Number(isKnown(signals.database().connectionsLimit)) }],
}

export const connections: MetricFamily = {
  name: 'sti_database_connections',
  type: 'gauge',
  help: 'Client connections of the whole server by state.',
  labels: ['state'],
  *samples({ signals }) {
    const reading = signals.database().connections
    if (!isKnown(reading)) return
    for (const [state, value] of Object.entries(reading.value)) yield { labels: { state }, value }
  },
}

export const databaseGauges = [
  perEnvironment(
    'sti_database_connections_limit',
    'max_connections of the server.',
    (signals) => signals.database().connectionsLimit,
  ),
  perEnvironment(
    'sti_database_query_seconds',
    'Mean execution time of the statements of the last interval, our own apart.',
    (signals) => signals.database().querySeconds,
  ),
  perEnvironment(
    'sti_database_lock_wait_seconds',
    'How long the session that waits longest has waited for a lock.',
    (signals) => signals.database().lockWaitSeconds,
  ),
  perEnvironment(
    'sti_database_lock_waiters',
    'Sessions that wait for a lock.',
    (signals) => signals.database().lockWaiters,
  ),
  perEnvironment(
    'sti_database_buffer_hit_ratio',
    'Blocks found in shared buffers / blocks asked for, in the last interval.',
    (signals) => signals.database().bufferHitRatio,
  ),
  perEnvironment('sti_oldest_transaction_seconds', 'Age of the oldest open transaction, our own apart.', (signals) => {
    const reading = signals.database().oldestTransaction
    return isKnown(reading) ? { value: reading.value.seconds, at: reading.at } : reading
  }),
]

export const replication = perEnvironment(
  'sti_replication_lag_bytes',
  'WAL that the replica furthest behind has not replayed; absent without replicas.',
  (signals) => {
    const reading = signals.replication()
    if (!isKnown(reading)) return reading
    const { replicas, bytes } = reading.value
    return replicas > 0 ? { value: bytes, at: reading.at } : { unknown: 'there is no replica' }
  },
)
