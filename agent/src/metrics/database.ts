import { SIGNALS } from '../contract/signals.ts'
import { isKnown, mapReading } from '../signals/reading.ts'
import { perEnvironment, type MetricFamily } from './metricFamily.ts'

export const up: MetricFamily = {
  name: 'sti_database_up',
  type: 'gauge',
  help: '1 if PostgreSQL has answered recently, 0 otherwise.',
  labels: [],
  // connectionsLimit needs no privilege: it is unknown only when nothing answers.
  samples: ({ signals }) => [{ labels: {}, value: Number(isKnown(signals.database().connectionsLimit)) }],
}

export const connections: MetricFamily = {
  name: 'sti_database_connections',
  type: 'gauge',
  help: 'Client connections of the whole server, by state.',
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
    SIGNALS['query-time'].help,
    (signals) => signals.database().querySeconds,
  ),
  perEnvironment(
    'sti_database_lock_wait_seconds',
    SIGNALS['lock-wait'].help,
    (signals) => signals.database().lockWaitSeconds,
  ),
  perEnvironment(
    'sti_database_lock_waiters',
    'Sessions that wait for a lock.',
    (signals) => signals.database().lockWaiters,
  ),
  perEnvironment(
    'sti_database_buffer_hit_ratio',
    SIGNALS['buffer-hit-ratio'].help,
    (signals) => signals.database().bufferHitRatio,
  ),
  perEnvironment('sti_oldest_transaction_seconds', SIGNALS['oldest-transaction'].help, (signals) =>
    mapReading(signals.database().oldestTransaction, ({ seconds }) => seconds),
  ),
]

export const replication = perEnvironment('sti_replication_lag_bytes', SIGNALS.replication.help, (signals) => {
  const reading = signals.replication()
  if (!isKnown(reading)) return reading
  const { replicas, bytes } = reading.value
  return replicas > 0 ? { value: bytes, at: reading.at } : { unknown: 'there is no replica' }
})
