import { formatCount } from '../../format/format.ts'
import { isKnown } from '../../signals/reading.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** No custom signal of the rollout file exceeds its limit. Does not apply without custom signals. */
export const customSignals: ValidationCheck = {
  name: 'signals',
  layer: 'system',
  unit: 'count',
  async run({ run, rollout, signal }) {
    if (rollout.file.signals.length === 0) return null
    // Each signal has its own polling interval, so its first reading may take a moment.
    for (const { name } of rollout.file.signals) {
      const readSignal = () => run.pressure.custom().find((custom) => custom.name === name)!.reading
      const reading = await awaitReading(readSignal, signal)
      if ('verdict' in reading) return { ...reading, detail: `signal ${name}: ${reading.detail}` }
    }
    const worst = run.pressure
      .custom()
      .flatMap(({ name, limit, reading }) => (isKnown(reading) ? [{ name, limit, value: reading.value }] : []))
      .sort((a, b) => b.value / b.limit - a.value / a.limit)[0]!
    const { name, value, limit } = worst
    const verdict = value > limit ? 'fail' : 'pass'
    return {
      verdict,
      value,
      limit,
      detail: `signal ${name} is ${formatCount(value)} (limit ${formatCount(limit)}), the closest to its limit`,
    }
  },
}
