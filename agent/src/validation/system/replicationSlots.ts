import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** No replication slot keeps more WAL than a backfill would wait for, and none is about to lose what it needs. */
export const replicationSlots: ValidationCheck = {
  name: 'replication-slots',
  layer: 'system',
  unit: 'bytes',
  async run({ run, rollout, signal }) {
    const retention = await awaitReading(() => run.pressure.slots(), signal)
    if ('verdict' in retention) return retention
    const { slot, retainedBytes, endangered } = retention.value
    const limit = resolveLimits(rollout.file).slotRetainedBytes.pause
    const evidence = { value: retainedBytes, limit }
    if (endangered !== null) {
      const detail = `slot ${endangered.slot} is ${endangered.status}: its reader has to be set up anew, or the slot dropped`
      return { verdict: 'fail', ...evidence, detail }
    }
    if (slot === null) return { verdict: 'pass', ...evidence, detail: 'there is no replication slot' }
    const verdict = limit !== null && retainedBytes > limit ? 'fail' : 'pass'
    return { verdict, ...evidence, detail: `slot ${slot} keeps ${retainedBytes} bytes of WAL` }
  },
}
