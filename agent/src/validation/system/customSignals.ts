import { isKnown } from '../../signals/reading.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** No signal of the rollout file itself is above its limit. Does not apply to a file without any. */
export const customSignals: ValidationCheck = {
  name: 'signals',
  layer: 'system',
  unit: 'count',
  async run({ run, rollout, signal }) {
    if (rollout.file.signals.length === 0) return null
    // Each has its own interval; what is known of it a moment later counts.
    for (const { name } of rollout.file.signals) {
      const readSignal = () => run.pressure.custom().find((one) => one.name === name)!.reading
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
      detail: `signal ${name} reads ${value}, at most ${limit}; nearest of the file's own`,
    }
  },
}
