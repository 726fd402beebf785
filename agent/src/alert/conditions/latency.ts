import { isKnown } from '../../signals/reading.ts'
import type { WindowedRequests } from '../../signals/recentRequests.ts'
import { poissonUpperTail } from '../../measure/errorRateTest.ts'
import { healthyFinding, unhealthyFinding, unknownFinding, type ConditionFinding } from './conditionFinding.ts'
import {
  MAX_CHANCE_PROBABILITY,
  MIN_REQUESTS,
  COUNTED_DEBOUNCE_MS,
  PROMQL_DEBOUNCE_MS,
  windowSeconds,
} from './significance.ts'
import type { ConditionInput } from './conditionInput.ts'

/** Of all requests so many may be slower than the 95th percentile, by its meaning. */
const SLOW_SHARE = 0.05
/** It is over when the requests of the last seconds are not slow any more, whatever the spans still hold. */
const RECOVERY_WINDOW_SECONDS = 2

/**
 * Whether the 95th percentile of the application is above its limit and noise does not explain it: more than one in
 * twenty requests took longer than the limit.
 */
export function latencyCondition(change: string, input: ConditionInput): ConditionFinding {
  const subject = { rule: 'StiApiLatencyHigh', change } as const
  const limit = input.state?.latencyLimit ?? null
  if (limit === null) return unknownFinding(subject, 'There is no baseline to judge by: take one (sti baseline).')
  if (!input.counted) return promqlFinding(subject, input, limit)
  if (!isKnown(input.requests))
    return unknownFinding(subject, `The application could not be read: ${input.requests.unknown}.`)
  const { value } = input.requests
  const windows = windowSeconds(input).map((seconds) => countSlowRequests(value.countLast(seconds), limit))
  const counted = windows.filter((timeWindow) => timeWindow !== null)
  if (counted.length === 0)
    return unknownFinding(
      subject,
      `No bucket of the histogram reaches ${formatMilliseconds(limit)}, which is the limit: give it larger ones.`,
    )
  const latest = countSlowRequests(value.countLast(RECOVERY_WINDOW_SECONDS), limit)
  const stillSlow = latest !== null && latest.slow > SLOW_SHARE * latest.all
  const worst = counted.find(
    ({ slow, all }) => poissonUpperTail({ failed: slow, all }, SLOW_SHARE) < MAX_CHANCE_PROBABILITY,
  )
  if (worst !== undefined && stillSlow)
    return unhealthyFinding(subject, `${describeSlowRequests(worst, limit)}.`, COUNTED_DEBOUNCE_MS)
  const longest = counted.at(-1)!
  if (longest.all < MIN_REQUESTS) return unknownFinding(subject, `${longest.all} requests are too few to tell.`)
  if (longest.slow > SLOW_SHARE * longest.all && stillSlow)
    return unknownFinding(subject, `${describeSlowRequests(longest, limit)}: that may be chance.`)
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

/** Of PromQL nobody knows the requests. Its own window is long enough that two readings above the limit are no chance. */
function promqlFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  { api }: ConditionInput,
  limit: number,
): ConditionFinding {
  const { latencyP95 } = api
  if (!isKnown(latencyP95)) return unknownFinding(subject, `The application could not be read: ${latencyP95.unknown}.`)
  const sentence = `The 95th percentile is ${formatMilliseconds(latencyP95.value)}, its limit ${formatMilliseconds(limit)}.`
  return latencyP95.value > limit
    ? unhealthyFinding(subject, sentence, PROMQL_DEBOUNCE_MS)
    : healthyFinding(subject, sentence)
}

function describeSlowRequests({ slow, all, seconds }: SlowRequests, limit: number): string {
  return `${slow} of ${all} requests of the last ${Math.round(seconds)} s took longer than ${formatMilliseconds(limit)}, and 5 % may`
}

const formatMilliseconds = (seconds: number): string => `${Number((seconds * 1_000).toPrecision(3))} ms`
