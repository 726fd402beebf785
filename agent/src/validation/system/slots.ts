import { limitsOf } from '../../engine/limits.ts'
import type { Check } from '../check.ts'
import { known } from './read.ts'

/** No replication slot keeps more WAL than a backfill would wait for, and none is about to lose what it needs. */
export const slots: Check = {
  name: 'replication-slots',
  layer: 'system',
  async run({ run, rollout, signal }) {
    const retention = await known(() => run.pressure.slots(), signal)
    if ('verdict' in retention) return retention
    const { slot, retainedBytes, endangered } = retention.value
    const limit = limitsOf(rollout.file).slotRetainedBytes.pause
    const found = { value: retainedBytes, limit }
    if (endangered !== null) {
      const detail = `slot ${endangered.slot} is ${endangered.status}: its reader has to be set up anew, or the slot dropped`
      return { verdict: 'fail', ...found, detail }
    }
    if (slot === null) return { verdict: 'pass', ...found, detail: 'there is no replication slot' }
    const verdict = limit !== null && retainedBytes > limit ? 'fail' : 'pass'
    return { verdict, ...found, detail: `slot ${slot} keeps ${retainedBytes} bytes of WAL` }
  },
}
