import type { Baseline, Compared, SignalBaseline } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { TimedValue } from '../signals/prometheus.ts'
import type { Signals } from '../signals/signals.ts'
import { chanceOf, requestsOf } from './errors.ts'
import { limitAgainstBaseline } from './limits.ts'
import { meanOf } from './mean.ts'
import { readingsSince } from './now.ts'
import { ERROR, judge } from './ratioTest.ts'

/** A baseline, and the time since when what is now is looked at (milliseconds since 1970). */
export interface Comparing {
  readonly signals: Signals
  readonly rollout: Rollout
  readonly environment: string
  readonly baseline: Baseline
  readonly from: number
}

const DAY_MS = 86_400_000
const NEAR_MS = 3_600_000

/** A signal beside its baseline. One that no limit speaks of is shown, and its verdict is null. */
export async function compareSignal(comparing: Comparing, signal: string): Promise<Compared> {
  const { baseline, rollout } = comparing
  const known = baseline.content.signals.find((one) => one.signal === signal)
  const nothing = { name: signal, verdict: null, baseline: known?.mean ?? null, now: null, ratio: null, limit: null }
  const limit = limitAgainstBaseline(rollout.file, signal)
  const judged = limit !== null || signal === 'api-error-ratio'
  const verdict = judged ? 'inconclusive' : null
  if (!known || known.mean === null)
    return { ...nothing, verdict, detail: `the baseline does not know it: ${known?.unknown ?? 'it was not read then'}` }
  const since = await sinceThen(comparing, signal)
  if ('unknown' in since) return { ...nothing, verdict, detail: since.unknown }
  if (signal === 'api-error-ratio') return await compareErrors(comparing, known, since.readings)
  const now = meanOf(since.readings.map(({ value }) => value))
  if (now === null) return { ...nothing, verdict, detail: await whyNothing(comparing, signal) }
  const then = meanOf(sameHours(known, Date.parse(baseline.startedAt), (comparing.from + Date.now()) / 2))
  const numbers = { ...nothing, now: now.mean, baseline: then?.mean ?? known.mean }
  const ratio = numbers.baseline > 0 ? now.mean / numbers.baseline : null
  if (limit === null || then === null) return { ...numbers, ratio, verdict, detail: '' }
  const judgement = judge(now, then, limit)
  return { ...numbers, ratio, limit: limit.ratio, verdict: judgement.verdict, detail: judgement.detail }
}

/** A ratio of errors is often 0 before: it is judged by the larger of the file's limit and the baseline with its margin. */
async function compareErrors(
  comparing: Comparing,
  known: SignalBaseline,
  ratios: readonly TimedValue[],
): Promise<Compared> {
  const { limits } = comparing.rollout.file
  const rates = await sinceThen(comparing, 'api-request-rate')
  const requests = 'unknown' in rates ? { failed: 0, all: 0 } : requestsOf(ratios, rates.readings)
  const mean = known.mean!
  const limit = Math.max(limits.errorRatio, mean * (1 + limits.apiLatencyIncrease))
  const now = requests.all > 0 ? requests.failed / requests.all : null
  const of = { name: known.signal, baseline: mean, now, ratio: mean > 0 && now !== null ? now / mean : null }
  return { ...of, limit, ...judgeErrors(requests, limit) }
}

/** Whether more requests failed than the limit lets, and noise does not explain it. */
export function judgeErrors(
  requests: { readonly failed: number; readonly all: number },
  limit: number,
): Pick<Compared, 'verdict' | 'detail'> {
  const { failed, all } = requests
  const said = `${failed} of ${all} requests failed, at most ${(100 * limit).toFixed(2)} % may`
  if (all === 0) return { verdict: 'inconclusive', detail: 'no request was seen' }
  if (failed > limit * all) {
    if (chanceOf(requests, limit) < ERROR) return { verdict: 'fail', detail: said }
    return { verdict: 'inconclusive', detail: `${said}: that may be chance, measure for longer` }
  }
  // With none expected to fail at the limit, none that failed proves nothing.
  if (all * limit < 1)
    return { verdict: 'inconclusive', detail: `${said}: too few to tell, it takes ${Math.ceil(1 / limit)}` }
  return { verdict: 'pass', detail: said }
}

async function sinceThen(
  { signals, rollout, environment, baseline, from }: Comparing,
  signal: string,
): Promise<{ readonly readings: readonly TimedValue[] } | { readonly unknown: string }> {
  const of = { rollout: rollout.name, environment, measured: baseline.content.measured }
  if (of.measured === 'history' && signals.history === null)
    return { unknown: 'the baseline is from Prometheus, and the agent has none now: set STI_PROMETHEUS_URL' }
  try {
    return { readings: await readingsSince(signals, of, signal, from) }
  } catch (error) {
    return { unknown: (error as Error).message }
  }
}

async function whyNothing({ signals, rollout, from }: Comparing, signal: string): Promise<string> {
  const now = signals.numbers(rollout.name).find(([name]) => name === signal)?.[1]
  if (now && 'unknown' in now) return `nothing is known of it now: ${now.unknown}`
  return `it was not read yet in the ${Math.round((Date.now() - from) / 1000)} s that are looked at`
}

/**
 * Load follows the hours of a day: of a baseline of a day or longer the values within an hour of the time of day that is
 * looked at. All of them where that leaves too few.
 */
function sameHours({ values, stepSeconds }: SignalBaseline, startedAt: number, at: number): readonly (number | null)[] {
  if (values.length * stepSeconds * 1000 < DAY_MS) return values
  const near = values.filter((_, index) => {
    const away = Math.abs(startedAt + (index + 0.5) * stepSeconds * 1000 - at) % DAY_MS
    return Math.min(away, DAY_MS - away) <= NEAR_MS
  })
  return near.filter((value) => value !== null).length >= 20 ? near : values
}
