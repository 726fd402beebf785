import type { Unit } from '../../format/format.ts'
import { compareSignal } from '../../measure/compareSignal.ts'
import type { ValidationCheck } from '../check.ts'
import { prepareComparison, PERFORMANCE_CHECK_TIMEOUT_SECONDS } from './prepareComparison.ts'

/**
 * A check that one signal stays within its limit against the baseline. `multiple`: its value is now / baseline; any
 * other unit: its value and limit are those of the signal itself.
 */
export function signalCheck(name: string, signal: string, unit: Unit = 'multiple'): ValidationCheck {
  return {
    name,
    layer: 'performance',
    unit,
    seconds: PERFORMANCE_CHECK_TIMEOUT_SECONDS,
    async run(context) {
      const comparison = await prepareComparison(context)
      if ('verdict' in comparison) return comparison
      const { verdict, ratio, now, limit, detail } = await compareSignal(comparison.input, signal)
      const value = unit === 'multiple' ? ratio : now
      return { verdict: verdict ?? 'inconclusive', value, limit, detail: `${detail}; ${comparison.note}` }
    },
  }
}
