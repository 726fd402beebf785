import { formatCount, formatPercent, formatQuantity } from '../../format/format.ts'
import { poissonUpperTail } from '../../measure/errorRateTest.ts'
import { isKnown } from '../../signals/reading.ts'
import { controlGroupFinding } from './comparisonFinding.ts'
import {
  healthyFinding,
  unhealthyFinding,
  unknownFinding,
  unreadableFinding,
  type ConditionFinding,
} from './conditionFinding.ts'
import {
  MAX_CHANCE_PROBABILITY,
  MIN_REQUESTS,
  COUNTED_DEBOUNCE_MS,
  promqlFinding,
  windowSeconds,
} from './significance.ts'
import type { ApplicationInput } from './conditionInput.ts'

/** Fewer failures than this are never reported, however low the limit. */
const MIN_FAILED_REQUESTS = 3

/**
 * Unhealthy if more requests by type fail than by legacy columns. Without such a control group: if the error rate exceeds its
 * limit by more than random variation explains.
 */
export function errorRateCondition(change: string, input: ApplicationInput): ConditionFinding {
  const subject = { rule: 'StiApiErrorsHigh', change } as const
  const compared = controlGroupFinding(subject, input, 'errors')
  if (compared !== null) return compared
  if (input.state === null) return unknownFinding(subject, 'The agent has not read the database since it started.')
  const errorLimit = Math.max(input.state.errorLimit, input.controlLimits?.errorRatio ?? 0)
  if (!input.counted)
    return promqlFinding(subject, input.api.errorRatio, {
      limit: errorLimit,
      describe: (ratio) => `${formatPercent(ratio)} of requests fail (limit ${formatPercent(errorLimit)}).`,
    })
  if (!isKnown(input.requests)) return unreadableFinding(subject, input.requests)
  const { value } = input.requests
  const windows = windowSeconds(input).map((seconds) => value.countLast(seconds))
  const longest = windows.at(-1)!
  if (!isKnown(longest.failed))
    return unknownFinding(subject, `Cannot count failed requests: ${longest.failed.unknown}.`)
  const counted = windows.flatMap(({ all, failed, seconds }) =>
    isKnown(failed) ? [{ all, failed: failed.value, seconds }] : [],
  )
  const worst = counted.find(
    (timeWindow) =>
      timeWindow.failed >= MIN_FAILED_REQUESTS && poissonUpperTail(timeWindow, errorLimit) < MAX_CHANCE_PROBABILITY,
  )
  if (worst !== undefined)
    return unhealthyFinding(subject, `${describeFailures(worst, errorLimit)}.`, COUNTED_DEBOUNCE_MS)
  const last = counted.at(-1)!
  if (last.all < MIN_REQUESTS)
    return unknownFinding(subject, `Too few requests: ${last.all} (at least ${MIN_REQUESTS} required).`)
  if (last.failed > errorLimit * last.all)
    return unknownFinding(subject, `${describeFailures(last, errorLimit)}, which may be random variation.`)
  return healthyFinding(subject, `${describeFailures(last, errorLimit)}.`)
}

function describeFailures(
  { failed, all, seconds }: { failed: number; all: number; seconds: number },
  limit: number,
): string {
  const ratio = formatPercent(failed / Math.max(1, all))
  return `${formatCount(failed)} of ${formatQuantity(all, 'request')} failed in the last ${Math.round(seconds)} s (${ratio}; limit ${formatPercent(limit)})`
}
