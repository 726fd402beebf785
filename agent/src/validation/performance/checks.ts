import type { ValidationCheck } from '../check.ts'
import { databaseQueryTimeEach } from './databaseQueryTimeEach.ts'
import type { Unit } from '../../format/format.ts'
import { compareSignal } from '../../measure/compareSignal.ts'
import { momentaryExcess } from '../../measure/momentaryExcess.ts'
import { prepareComparison, PERFORMANCE_CHECK_TIMEOUT_SECONDS } from './prepareComparison.ts'

/** The performance layer: the application and its queries are as fast as in the baseline. */
export const PERFORMANCE_CHECKS: readonly ValidationCheck[] = [
  signalCheck('api-latency-average', 'api-latency-average'),
  signalCheck('api-latency-p95', 'api-latency-p95'),
  signalCheck('api-error-ratio', 'api-error-ratio', 'ratio'),
  signalCheck('api-throughput', 'api-request-rate'),
  signalCheck('database-query-time', 'query-time'),
  databaseQueryTimeEach,
]

/**
 * A check that one signal stays within its limit against the baseline. `multiple`: its value is now / baseline; any
 * other unit: its value and limit are those of the signal itself.
 */
function signalCheck(name: string, signal: string, unit: Unit = 'multiple'): ValidationCheck {
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
      const excess =
        verdict === 'fail'
          ? null
          : momentaryExcess(
              signal,
              context.parts.signals.api(context.rollout.name),
              context.rollout,
              comparison.input.baseline,
            )
      return {
        verdict: verdict ?? 'inconclusive',
        value,
        limit,
        detail: [detail, ...(excess === null ? [] : [excess]), comparison.note].join('; '),
      }
    },
  }
}
