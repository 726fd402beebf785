import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** No replica is further behind than a backfill would wait for. */
export const replicationLag: ValidationCheck = {
  name: 'replication-lag',
  layer: 'system',
  unit: 'bytes',
  async run({ parts, rollout, signal }) {
    const lag = await awaitReading(() => parts.signals.replication(), signal)
    if ('verdict' in lag) return lag
    const { replicas, bytes, seconds } = lag.value
    const limits = resolveLimits(rollout.file)
    const limit = limits.replicationLagBytes.pause
    const limitSeconds = limits.replicationLagSeconds.pause
    if (replicas === 0) return { verdict: 'pass', value: 0, limit, detail: 'no replica was seen' }
    const lagDuration = seconds === null ? 'for how long is not known' : `by ${seconds.toFixed(1)} s`
    const detail = `the furthest of ${replicas} replicas is ${bytes} bytes behind, ${lagDuration}`
    if ((limit !== null && bytes > limit) || (limitSeconds !== null && seconds !== null && seconds > limitSeconds))
      return { verdict: 'fail', value: bytes, limit, detail: `${detail}; at most ${limit} bytes and ${limitSeconds} s` }
    return { verdict: seconds === null && limitSeconds !== null ? 'inconclusive' : 'pass', value: bytes, limit, detail }
  },
}
