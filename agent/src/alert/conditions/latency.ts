import { isKnown } from '../../signals/reading.ts'
import type { Requests } from '../../signals/requests.ts'
import { chanceOf } from '../../measure/errors.ts'
import { healthy, unhealthy, unknown, type Finding } from './finding.ts'
import { CHANCE, ENOUGH, LOOKS_MS, QUERIED_MS, spansOf } from './noise.ts'
import type { Seen } from './seen.ts'

/** Of all requests so many may be slower than the 95th percentile, by its meaning. */
const SHARE = 0.05
/** It is over when the requests of the last seconds are not slow any more, whatever the spans still hold. */
const NOW_SECONDS = 2

/**
 * Whether the 95th percentile of the application is above its limit and noise does not explain it: more than one in
 * twenty requests took longer than the limit.
 */
export function latencyCondition(change: string, seen: Seen): Finding {
  const of = { rule: 'StiApiLatencyHigh', change } as const
  const limit = seen.state?.latencyLimit ?? null
  if (limit === null) return unknown(of, 'There is no baseline to judge by: take one (sti baseline).')
  if (!seen.counted) return queried(of, seen, limit)
  if (!isKnown(seen.requests)) return unknown(of, `The application could not be read: ${seen.requests.unknown}.`)
  const { value } = seen.requests
  const spans = spansOf(seen).map((seconds) => slowOf(value.last(seconds), limit))
  const counted = spans.filter((span) => span !== null)
  if (counted.length === 0)
    return unknown(of, `No bucket of the histogram reaches ${ms(limit)}, which is the limit: give it larger ones.`)
  const lately = slowOf(value.last(NOW_SECONDS), limit)
  const still = lately !== null && lately.slow > SHARE * lately.all
  const worst = counted.find(({ slow, all }) => chanceOf({ failed: slow, all }, SHARE) < CHANCE)
  if (worst !== undefined && still) return unhealthy(of, `${say(worst, limit)}.`, LOOKS_MS)
  const longest = counted.at(-1)!
  if (longest.all < ENOUGH) return unknown(of, `${longest.all} requests are too few to tell.`)
  if (longest.slow > SHARE * longest.all && still) return unknown(of, `${say(longest, limit)}: that may be chance.`)
  return healthy(of, `${say(longest, limit)}.`)
}

interface Slow {
  readonly slow: number
  readonly all: number
  readonly seconds: number
}

function slowOf(requests: Requests, limit: number): Slow | null {
  const slow = requests.slowerThan(limit)
  return slow === null ? null : { slow: Math.round(slow), all: requests.all, seconds: requests.seconds }
}

/** Of PromQL nobody knows the requests. Its own window is long enough that two readings above the limit are no chance. */
function queried(of: Pick<Finding, 'rule' | 'change'>, { api }: Seen, limit: number): Finding {
  const { latencyP95 } = api
  if (!isKnown(latencyP95)) return unknown(of, `The application could not be read: ${latencyP95.unknown}.`)
  const said = `The 95th percentile is ${ms(latencyP95.value)}, its limit ${ms(limit)}.`
  return latencyP95.value > limit ? unhealthy(of, said, QUERIED_MS) : healthy(of, said)
}

function say({ slow, all, seconds }: Slow, limit: number): string {
  return `${slow} of ${all} requests of the last ${Math.round(seconds)} s took longer than ${ms(limit)}, and 5 % may`
}

const ms = (seconds: number): string => `${Number((seconds * 1_000).toPrecision(3))} ms`
