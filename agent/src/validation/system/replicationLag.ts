import { limitsOf } from '../../engine/limits.ts'
import type { Check } from '../check.ts'
import { known } from './read.ts'

/** No replica is further behind than a backfill would wait for. */
export const replicationLag: Check = {
  name: 'replication-lag',
  layer: 'system',
  async run({ parts, rollout, signal }) {
    const lag = await known(() => parts.signals.replication(), signal)
    if ('verdict' in lag) return lag
    const { replicas, bytes, seconds } = lag.value
    const limits = limitsOf(rollout.file)
    const limit = limits.replicationLagBytes.pause
    const most = limits.replicationLagSeconds.pause
    if (replicas === 0) return { verdict: 'pass', value: 0, limit, detail: 'no replica was seen' }
    const late = seconds === null ? 'for how long is not known' : `by ${seconds.toFixed(1)} s`
    const detail = `the furthest of ${replicas} replicas is ${bytes} bytes behind, ${late}`
    if ((limit !== null && bytes > limit) || (most !== null && seconds !== null && seconds > most))
      return { verdict: 'fail', value: bytes, limit, detail: `${detail}; at most ${limit} bytes and ${most} s` }
    return { verdict: seconds === null && most !== null ? 'inconclusive' : 'pass', value: bytes, limit, detail }
  },
}
