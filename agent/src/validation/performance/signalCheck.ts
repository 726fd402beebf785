import { compareSignal } from '../../measure/compareSignal.ts'
import type { ValidationCheck } from '../check.ts'
import { prepareComparison, PERFORMANCE_CHECK_TIMEOUT_SECONDS } from './prepareComparison.ts'

/** A check that one signal has not moved beyond its limit against the baseline. */
export function signalCheck(name: string, signal: string): ValidationCheck {
  return {
    name,
    layer: 'performance',
    seconds: PERFORMANCE_CHECK_TIMEOUT_SECONDS,
    async run(context) {
      const comparison = await prepareComparison(context)
      if ('verdict' in comparison) return comparison
      const { verdict, ratio, now, limit, detail } = await compareSignal(comparison.input, signal)
      // The limit of a ratio of errors is such a ratio; that of the others is now / baseline.
      const value = signal === 'api-error-ratio' ? now : ratio
      return { verdict: verdict ?? 'inconclusive', value, limit, detail: `${detail}; ${comparison.note}` }
    },
  }
}
