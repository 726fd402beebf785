import { isKnown, type Reading } from '../../signals/reading.ts'
import { healthyFinding, unhealthyFinding, unreadableFinding, type ConditionFinding } from './conditionFinding.ts'

/** Windows over which requests are counted, in seconds: large faults show in the first, small ones in the last. */
const WINDOWS_SECONDS = [10, 60] as const
/**
 * The significance level of a fault. It is tested twice a second on overlapping counts, which is about one independent test
 * in ten seconds.
 */
export const MAX_CHANCE_PROBABILITY = 1e-4
/** With fewer requests the condition is unknown. */
export const MIN_REQUESTS = 20
/** Three readings, so that one burst in one reading is not a fault. */
export const COUNTED_DEBOUNCE_MS = 1_000
/** Two readings of PromQL, which is read every five seconds. */
const PROMQL_DEBOUNCE_MS = 5_500

/** The windows never start before the active change, which is not responsible for earlier requests. */
export function windowSeconds({ activeSeconds }: { readonly activeSeconds: number }): number[] {
  return WINDOWS_SECONDS.map((seconds) => Math.min(seconds, activeSeconds))
}

/**
 * Compares a reading of PromQL with its limit. PromQL gives no request count; its own window is long enough that two
 * readings above the limit are significant.
 */
export function promqlFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  reading: Reading<number>,
  { limit, describe }: { readonly limit: number; readonly describe: (value: number) => string },
): ConditionFinding {
  if (!isKnown(reading)) return unreadableFinding(subject, reading)
  return reading.value > limit
    ? unhealthyFinding(subject, describe(reading.value), PROMQL_DEBOUNCE_MS)
    : healthyFinding(subject, describe(reading.value))
}
