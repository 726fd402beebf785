import { poissonUpperTail } from '../../measure/errorRateTest.ts'
import { isKnown } from '../../signals/reading.ts'
import { healthyFinding, unhealthyFinding, unknownFinding, type ConditionFinding } from './conditionFinding.ts'
import {
  MAX_CHANCE_PROBABILITY,
  MIN_REQUESTS,
  COUNTED_DEBOUNCE_MS,
  PROMQL_DEBOUNCE_MS,
  windowSeconds,
} from './significance.ts'
import type { ConditionInput } from './conditionInput.ts'

/** However rare failures are, fewer than this are no fault of a release. */
const MIN_FAILED_REQUESTS = 3

/** Whether more requests fail than may, and noise does not explain it. */
export function errorRateCondition(change: string, input: ConditionInput): ConditionFinding {
  const subject = { rule: 'StiApiErrorsHigh', change } as const
  if (input.state === null) return unknownFinding(subject, 'The database has not been read since the agent started.')
  const { errorLimit } = input.state
  if (!input.counted) return promqlFinding(subject, input, errorLimit)
  if (!isKnown(input.requests))
    return unknownFinding(subject, `The application could not be read: ${input.requests.unknown}.`)
  const { value } = input.requests
  const windows = windowSeconds(input).map((seconds) => value.countLast(seconds))
  const longest = windows.at(-1)!
  if (!isKnown(longest.failed)) return unknownFinding(subject, `Errors cannot be told: ${longest.failed.unknown}.`)
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
  if (last.all < MIN_REQUESTS) return unknownFinding(subject, `${last.all} requests are too few to tell.`)
  if (last.failed > errorLimit * last.all)
    return unknownFinding(subject, `${describeFailures(last, errorLimit)}: that may be chance.`)
  return healthyFinding(subject, `${describeFailures(last, errorLimit)}.`)
}

function promqlFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  { api }: ConditionInput,
  limit: number,
): ConditionFinding {
  const { errorRatio } = api
  if (!isKnown(errorRatio)) return unknownFinding(subject, `The application could not be read: ${errorRatio.unknown}.`)
  const sentence = `${formatPercent(errorRatio.value)} of the requests fail, and ${formatPercent(limit)} may.`
  return errorRatio.value > limit
    ? unhealthyFinding(subject, sentence, PROMQL_DEBOUNCE_MS)
    : healthyFinding(subject, sentence)
}

function describeFailures(
  { failed, all, seconds }: { failed: number; all: number; seconds: number },
  limit: number,
): string {
  return `${failed} of ${all} requests of the last ${Math.round(seconds)} s failed, and ${formatPercent(limit)} may`
}

const formatPercent = (ratio: number): string => `${Number((100 * ratio).toPrecision(3))} %`
