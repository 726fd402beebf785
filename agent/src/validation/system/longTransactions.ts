import { formatDuration } from '../../format/format.ts'
import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'
import { worstOfServers } from './worstOfServers.ts'

/** No snapshot or transaction prevents row versions from being pruned for longer than the limit of a backfill. */
export const longTransactions: ValidationCheck = {
  name: 'long-transactions',
  layer: 'system',
  unit: 'seconds',
  run: ({ run, rollout, signal }) =>
    worstOfServers(run, signal, async (server) => {
      const [snapshot, transaction] = await Promise.all([
        awaitReading(() => server.oldestSnapshot(), signal),
        awaitReading(() => server.oldestTransaction(), signal),
      ])
      if ('verdict' in snapshot) return snapshot
      if ('verdict' in transaction) return transaction
      const limit = resolveLimits(rollout.file).oldestSnapshotSeconds.pause
      const seconds = Math.max(snapshot.value.seconds, transaction.value.seconds)
      const holder =
        snapshot.value.seconds >= transaction.value.seconds
          ? snapshot.value.holder
          : transaction.value.pid === null
            ? 'prepared transaction'
            : `pid ${transaction.value.pid}`
      const detail = `the oldest snapshot or transaction is ${formatDuration(seconds)} old${limit === null ? '' : ` (limit ${formatDuration(limit)})`}${holder === null ? '' : `, held by ${holder}`}`
      return { verdict: limit !== null && seconds > limit ? 'fail' : 'pass', value: seconds, limit, detail }
    }),
}
