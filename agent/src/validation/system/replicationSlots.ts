import { formatBytes } from '../../format/format.ts'
import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'
import { worstOfServers } from './worstOfServers.ts'

/** No replication slot retains more WAL than the limit of a backfill, and none has lost WAL it needs or is about to. */
export const replicationSlots: ValidationCheck = {
  name: 'replication-slots',
  layer: 'system',
  unit: 'bytes',
  run: ({ run, rollout, signal }) =>
    worstOfServers(run, signal, async (server) => {
      const retention = await awaitReading(() => server.slots(), signal)
      if ('verdict' in retention) return retention
      const { slot, retainedBytes, endangered } = retention.value
      const limit = resolveLimits(rollout.file).slotRetainedBytes.pause
      const evidence = { value: retainedBytes, limit }
      if (endangered !== null) {
        const detail = `slot ${endangered.slot} is ${endangered.status}: rebuild its consumer, or drop the slot`
        return { verdict: 'fail', ...evidence, detail }
      }
      if (slot === null) return { verdict: 'pass', ...evidence, detail: 'there are no replication slots' }
      const verdict = limit !== null && retainedBytes > limit ? 'fail' : 'pass'
      return {
        verdict,
        ...evidence,
        detail: `slot ${slot} retains ${formatBytes(retainedBytes)} of WAL${limit === null ? '' : ` (limit ${formatBytes(limit)})`}`,
      }
    }),
}
