import { formatBytes, formatDuration, formatQuantity, formatValue } from '../../format/format.ts'
import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'
import { worstOfServers } from './worstOfServers.ts'

/** No replica lags behind more than the limit of a backfill. */
export const replicationLag: ValidationCheck = {
  name: 'replication-lag',
  layer: 'system',
  unit: 'bytes',
  run: ({ run, rollout, signal }) =>
    worstOfServers(run, signal, async (server) => {
      const lag = await awaitReading(() => server.replicationLag(), signal)
      if ('verdict' in lag) return lag
      const { replicas, bytes, seconds } = lag.value
      const limits = resolveLimits(rollout.file)
      const limit = limits.replicationLagBytes.pause
      const limitSeconds = limits.replicationLagSeconds.pause
      if (replicas === 0) return { verdict: 'pass', value: 0, limit, detail: 'there are no replicas' }
      const lagDuration = seconds === null ? 'for an unknown time' : `${formatDuration(seconds)}`
      const detail = `the slowest of ${formatQuantity(replicas, 'replica')} is ${formatBytes(bytes)} behind (limit ${formatValue(limit, 'bytes')}), ${lagDuration} (limit ${formatValue(limitSeconds, 'seconds')})`
      if ((limit !== null && bytes > limit) || (limitSeconds !== null && seconds !== null && seconds > limitSeconds))
        return { verdict: 'fail', value: bytes, limit, detail }
      return {
        verdict: seconds === null && limitSeconds !== null ? 'inconclusive' : 'pass',
        value: bytes,
        limit,
        detail,
      }
    }),
}
