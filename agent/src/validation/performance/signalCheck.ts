import { compareSignal } from '../../measure/compare.ts'
import type { Check } from '../check.ts'
import { comparable, PERFORMANCE_SECONDS } from './baseline.ts'

/** A check that one signal has not moved beyond its limit against the baseline. */
export function signalCheck(name: string, signal: string): Check {
  return {
    name,
    layer: 'performance',
    seconds: PERFORMANCE_SECONDS,
    async run(context) {
      const ready = await comparable(context)
      if ('verdict' in ready) return ready
      const { verdict, ratio, now, limit, detail } = await compareSignal(ready.comparing, signal)
      // The limit of a ratio of errors is such a ratio; that of the others is now / baseline.
      const value = signal === 'api-error-ratio' ? now : ratio
      return { verdict: verdict ?? 'inconclusive', value, limit, detail: `${detail}; ${ready.said}` }
    },
  }
}
