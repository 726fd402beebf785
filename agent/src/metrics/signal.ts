import { isKnown, type Reading } from '../signals/reading.ts'
import { known, type Family, type Moment } from './family.ts'

export const up: Family = {
  name: 'sti_signal_up',
  type: 'gauge',
  help: '1 when the signal is known now, 0 when it is not.',
  labels: ['rollout', 'signal'],
  *samples(moment) {
    for (const [labels, reading] of signals(moment)) yield { labels, value: Number(isKnown(reading)) }
  },
}

export const limit: Family = {
  name: 'sti_signal_limit_ratio',
  type: 'gauge',
  help: 'A signal of the rollout file / its limit; above 1 it is unhealthy.',
  labels: ['rollout', 'signal'],
  *samples({ all, signals }) {
    for (const { rollout } of all) {
      for (const { name, limit, reading } of signals.custom(rollout)) {
        if (limit > 0 && isKnown(reading))
          yield* known({ rollout, signal: name }, { ...reading, value: reading.value / limit })
      }
    }
  },
}

function* signals({ all, signals }: Moment): Iterable<[Record<string, string>, Reading<unknown>]> {
  const database = signals.database()
  yield [{ signal: 'connections' }, database.connections]
  yield [{ signal: 'query-time' }, database.querySeconds]
  yield [{ signal: 'lock-wait' }, database.lockWaitSeconds]
  yield [{ signal: 'buffer-hit-ratio' }, database.bufferHitRatio]
  yield [{ signal: 'oldest-transaction' }, database.oldestTransaction]
  yield [{ signal: 'replication' }, signals.replication()]
  for (const { rollout } of all) {
    const api = signals.api(rollout)
    yield [{ rollout, signal: 'api-latency-average' }, api.latencyAverage]
    yield [{ rollout, signal: 'api-latency-p95' }, api.latencyP95]
    yield [{ rollout, signal: 'api-error-ratio' }, api.errorRatio]
    yield [{ rollout, signal: 'api-request-rate' }, api.requestRate]
    const host = signals.host(rollout)
    yield [{ rollout, signal: 'host-cpu' }, host.cpu]
    yield [{ rollout, signal: 'host-memory' }, host.memory]
    yield [{ rollout, signal: 'host-disk' }, host.disk]
    yield [{ rollout, signal: 'host-disk-operations' }, host.diskOperations]
    yield [{ rollout, signal: 'host-network' }, host.networkBytes]
    for (const { name, reading } of signals.custom(rollout)) yield [{ rollout, signal: name }, reading]
  }
}
