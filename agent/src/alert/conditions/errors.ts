import { chanceOf } from '../../measure/errors.ts'
import { isKnown } from '../../signals/reading.ts'
import { healthy, unhealthy, unknown, type Finding } from './finding.ts'
import { CHANCE, ENOUGH, LOOKS_MS, QUERIED_MS, spansOf } from './noise.ts'
import type { Seen } from './seen.ts'

/** However rare failures are, fewer than this are no fault of a release. */
const FEWEST = 3

/** Whether more requests fail than may, and noise does not explain it. */
export function errorCondition(change: string, seen: Seen): Finding {
  const of = { rule: 'StiApiErrorsHigh', change } as const
  if (seen.state === null) return unknown(of, 'The database has not been read since the agent started.')
  const { errorLimit } = seen.state
  if (!seen.counted) return queried(of, seen, errorLimit)
  if (!isKnown(seen.requests)) return unknown(of, `The application could not be read: ${seen.requests.unknown}.`)
  const { value } = seen.requests
  const spans = spansOf(seen).map((seconds) => value.last(seconds))
  const longest = spans.at(-1)!
  if (!isKnown(longest.failed)) return unknown(of, `Errors cannot be told: ${longest.failed.unknown}.`)
  const counted = spans.flatMap(({ all, failed, seconds }) =>
    isKnown(failed) ? [{ all, failed: failed.value, seconds }] : [],
  )
  const worst = counted.find((span) => span.failed >= FEWEST && chanceOf(span, errorLimit) < CHANCE)
  if (worst !== undefined) return unhealthy(of, `${say(worst, errorLimit)}.`, LOOKS_MS)
  const last = counted.at(-1)!
  if (last.all < ENOUGH) return unknown(of, `${last.all} requests are too few to tell.`)
  if (last.failed > errorLimit * last.all) return unknown(of, `${say(last, errorLimit)}: that may be chance.`)
  return healthy(of, `${say(last, errorLimit)}.`)
}

function queried(of: Pick<Finding, 'rule' | 'change'>, { api }: Seen, limit: number): Finding {
  const { errorRatio } = api
  if (!isKnown(errorRatio)) return unknown(of, `The application could not be read: ${errorRatio.unknown}.`)
  const said = `${percent(errorRatio.value)} of the requests fail, and ${percent(limit)} may.`
  return errorRatio.value > limit ? unhealthy(of, said, QUERIED_MS) : healthy(of, said)
}

function say({ failed, all, seconds }: { failed: number; all: number; seconds: number }, limit: number): string {
  return `${failed} of ${all} requests of the last ${Math.round(seconds)} s failed, and ${percent(limit)} may`
}

const percent = (ratio: number): string => `${Number((100 * ratio).toPrecision(3))} %`
