import { formatCount, formatDuration, formatPercent, formatQuantity } from '../../format/format.ts'
import { isKnown } from '../../signals/reading.ts'
import type { WindowedRequests } from '../../signals/requestCounts.ts'
import { poissonUpperTail } from '../../measure/errorRateTest.ts'
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

/** By definition, 5% of requests are slower than the 95th percentile. */
const SLOW_SHARE = 0.05
/** The condition ends once recent requests are fast again, although the longer windows still contain slow ones. */
const RECOVERY_WINDOW_SECONDS = 2

/**
 * Unhealthy if requests by type are slower than requests by legacy columns. Without such a control group: if the
 * application's 95th percentile exceeds its limit by more than random variation explains: more than 5% of
 * requests took longer than the limit.
 */
export function latencyCondition(change: string, input: ApplicationInput): ConditionFinding {
  const subject = { rule: 'StiApiLatencyHigh', change } as const
  if (!isKnown(input.requests) && input.counted) return unreadableFinding(subject, input.requests)
  const compared = controlGroupFinding(subject, input, 'latency')
  if (compared !== null) return compared
  const limits = [input.state?.latencyLimit, input.controlLimits?.latency].filter((limit) => limit != null)
  const limit = limits.length === 0 ? null : Math.max(...limits)
  if (limit === null) return unknownFinding(subject, 'No baseline to compare with. Run sti baseline.')
  if (!input.counted)
    return promqlFinding(subject, input.api.latencyP95, {
      limit,
      describe: (seconds) =>
        `The 95th percentile latency is ${formatDuration(seconds)} (limit ${formatDuration(limit)}).`,
    })
  if (!isKnown(input.requests)) return unreadableFinding(subject, input.requests)
  const { value } = input.requests
  const windows = windowSeconds(input).map((seconds) => countSlowRequests(value.countLast(seconds), limit))
  const counted = windows.filter((timeWindow) => timeWindow !== null)
  if (counted.length === 0)
    return unknownFinding(
      subject,
      `No histogram bucket reaches the limit of ${formatDuration(limit)}. Add larger buckets to the histogram.`,
    )
  const latest = countSlowRequests(value.countLast(RECOVERY_WINDOW_SECONDS), limit)
  const stillSlow = latest !== null && latest.slow > SLOW_SHARE * latest.all
  const worst = counted.find(
    ({ slow, all }) => poissonUpperTail({ failed: slow, all }, SLOW_SHARE) < MAX_CHANCE_PROBABILITY,
  )
  if (worst !== undefined && stillSlow)
    return unhealthyFinding(subject, `${describeSlowRequests(worst, limit)}.`, COUNTED_DEBOUNCE_MS)
  const longest = counted.at(-1)!
  if (longest.all < MIN_REQUESTS)
    return unknownFinding(subject, `Too few requests: ${longest.all} (at least ${MIN_REQUESTS} required).`)
  if (longest.slow > SLOW_SHARE * longest.all && stillSlow)
    return unknownFinding(subject, `${describeSlowRequests(longest, limit)}, which may be random variation.`)
  return healthyFinding(subject, `${describeSlowRequests(longest, limit)}.`)
}

interface SlowRequests {
  readonly slow: number
  readonly all: number
  readonly seconds: number
}

function countSlowRequests(requests: WindowedRequests, limit: number): SlowRequests | null {
  const slow = requests.slowerThan(limit)
  return slow === null ? null : { slow: Math.round(slow), all: requests.all, seconds: requests.seconds }
}

function describeSlowRequests({ slow, all, seconds }: SlowRequests, limit: number): string {
  const ratio = formatPercent(slow / Math.max(1, all))
  return `${formatCount(slow)} of ${formatQuantity(all, 'request')} in the last ${Math.round(seconds)} s took longer than ${formatDuration(limit)} (${ratio}; limit ${formatPercent(SLOW_SHARE)})`
}
