import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** Nobody keeps row versions from being pruned for longer than a backfill would wait for. */
export const longTransactions: ValidationCheck = {
  name: 'long-transactions',
  layer: 'system',
  unit: 'seconds',
  async run({ run, rollout, parts, signal }) {
    const [snapshot, transaction] = await Promise.all([
      awaitReading(() => run.pressure.oldestSnapshot(), signal),
      awaitReading(() => parts.signals.database().oldestTransaction, signal),
    ])
    if ('verdict' in snapshot) return snapshot
    if ('verdict' in transaction) return transaction
    const limit = resolveLimits(rollout.file).oldestSnapshotSeconds.pause
    const seconds = Math.max(snapshot.value.seconds, transaction.value.seconds)
    const holder =
      snapshot.value.seconds >= transaction.value.seconds
        ? (snapshot.value.holder ?? 'nobody')
        : `pid ${transaction.value.pid ?? 'of a prepared transaction'}`
    const detail = `the oldest snapshot or transaction is ${seconds.toFixed(1)} s old (${holder})`
    return { verdict: limit !== null && seconds > limit ? 'fail' : 'pass', value: seconds, limit, detail }
  },
}
