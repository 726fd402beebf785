import type { Baseline, BaselineComparisonItem, SignalBaseline } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { TimedValue } from '../signals/prometheusClient.ts'
import type { Signals } from '../signals/signals.ts'
import { formatCount, formatDuration, formatPercent } from '../format/format.ts'
import { poissonUpperTail, countRequests } from './errorRateTest.ts'
import { findBaselineLimit } from './signalLimits.ts'
import { estimateMean } from './effectiveSampleSize.ts'
import { fetchReadingsSince } from './readingsSince.ts'
import { SIGNIFICANCE_LEVEL, testRatio } from './ratioTest.ts'

/** A baseline, and the start of the window that is compared with it (milliseconds since 1970). */
export interface ComparisonInput {
  readonly signals: Signals
  readonly rollout: Rollout
  readonly environment: string
  readonly baseline: Baseline
  readonly from: number
}

const DAY_MS = 86_400_000
const TIME_OF_DAY_TOLERANCE_MS = 3_600_000

/** Compares a signal with its baseline. The verdict of a signal without a limit is null. */
export async function compareSignal(input: ComparisonInput, signal: string): Promise<BaselineComparisonItem> {
  const { baseline, rollout } = input
  const signalBaseline = baseline.content.signals.find((candidate) => candidate.signal === signal)
  const emptyComparison = {
    name: signal,
    verdict: null,
    baseline: signalBaseline?.mean ?? null,
    now: null,
    ratio: null,
    limit: null,
  }
  const limit = findBaselineLimit(rollout.file, signal)
  const isJudged = limit !== null || signal === 'api-error-ratio'
  const verdict = isJudged ? 'inconclusive' : null
  if (!signalBaseline || signalBaseline.mean === null)
    return {
      ...emptyComparison,
      verdict,
      detail: `not in the baseline: ${signalBaseline?.unknown ?? 'it was not read at that time'}`,
    }
  const current = await readSignalSince(input, signal)
  if ('unknown' in current) return { ...emptyComparison, verdict, detail: current.unknown }
  if (signal === 'api-error-ratio') return await compareErrorRatio(input, signalBaseline, current.readings)
  const currentMean = estimateMean(current.readings.map(({ value }) => value))
  if (currentMean === null) return { ...emptyComparison, verdict, detail: await explainMissingReadings(input, signal) }
  const baselineMean = estimateMean(
    selectSameHours(signalBaseline, Date.parse(baseline.startedAt), (input.from + Date.now()) / 2),
  )
  const numbers = { ...emptyComparison, now: currentMean.mean, baseline: baselineMean?.mean ?? signalBaseline.mean }
  const ratio = numbers.baseline > 0 ? currentMean.mean / numbers.baseline : null
  if (limit === null || baselineMean === null) return { ...numbers, ratio, verdict, detail: '' }
  const judgement = testRatio(currentMean, baselineMean, limit)
  return { ...numbers, ratio, limit: limit.ratio, verdict: judgement.verdict, detail: judgement.detail }
}

/** A baseline error ratio is often 0, so the limit is the larger of the file's limit and the baseline plus its margin. */
async function compareErrorRatio(
  input: ComparisonInput,
  signalBaseline: SignalBaseline,
  ratios: readonly TimedValue[],
): Promise<BaselineComparisonItem> {
  const { limits } = input.rollout.file
  const rates = await readSignalSince(input, 'api-request-rate')
  const requests = 'unknown' in rates ? { failed: 0, all: 0 } : countRequests(ratios, rates.readings)
  const mean = signalBaseline.mean!
  const limit = Math.max(limits.errorRatio, mean * (1 + limits.apiLatencyIncrease))
  const now = requests.all > 0 ? requests.failed / requests.all : null
  const comparison = {
    name: signalBaseline.signal,
    baseline: mean,
    now,
    ratio: mean > 0 && now !== null ? now / mean : null,
  }
  return { ...comparison, limit, ...judgeErrorRatio(requests, limit) }
}

/** Fails if more requests failed than the limit allows and noise does not explain it. */
export function judgeErrorRatio(
  requests: { readonly failed: number; readonly all: number },
  limit: number,
): Pick<BaselineComparisonItem, 'verdict' | 'detail'> {
  const { failed, all } = requests
  const summary = `${formatCount(failed)} of ${formatCount(all)} requests failed (limit ${formatPercent(limit)})`
  if (all === 0) return { verdict: 'inconclusive', detail: 'no requests were observed' }
  if (failed > limit * all) {
    if (poissonUpperTail(requests, limit) < SIGNIFICANCE_LEVEL) return { verdict: 'fail', detail: summary }
    return { verdict: 'inconclusive', detail: `${summary}; this may be noise: measure for longer` }
  }
  // If fewer than one request is expected to fail at the limit, zero failures prove nothing.
  if (all * limit < 1)
    return {
      verdict: 'inconclusive',
      detail: `${summary}; too few requests to tell: at least ${formatCount(Math.ceil(1 / limit))} are needed`,
    }
  return { verdict: 'pass', detail: summary }
}

async function readSignalSince(
  { signals, rollout, environment, baseline, from }: ComparisonInput,
  signal: string,
): Promise<{ readonly readings: readonly TimedValue[] } | { readonly unknown: string }> {
  const source = { rollout: rollout.name, environment, measured: baseline.content.measured }
  if (source.measured === 'history' && signals.history === null)
    return {
      unknown: 'the baseline was measured with Prometheus, and the agent has no Prometheus now: set STI_PROMETHEUS_URL',
    }
  try {
    return { readings: await fetchReadingsSince(signals, source, signal, from) }
  } catch (error) {
    return { unknown: (error as Error).message }
  }
}

async function explainMissingReadings({ signals, rollout, from }: ComparisonInput, signal: string): Promise<string> {
  const now = signals.values(rollout.name).find(([name]) => name === signal)?.[1]
  if (now && 'unknown' in now) return `it is unknown now: ${now.unknown}`
  return `it has not been read in the last ${formatDuration(Math.round((Date.now() - from) / 1000))}`
}

/**
 * The values of a baseline of a day or longer within one hour of this time of day, because load follows the time of day.
 * All values if that leaves fewer than 20.
 */
function selectSameHours(
  { values, stepSeconds }: SignalBaseline,
  startedAt: number,
  time: number,
): readonly (number | null)[] {
  if (values.length * stepSeconds * 1000 < DAY_MS) return values
  const valuesNearby = values.filter((_, index) => {
    const distance = Math.abs(startedAt + (index + 0.5) * stepSeconds * 1000 - time) % DAY_MS
    return Math.min(distance, DAY_MS - distance) <= TIME_OF_DAY_TOLERANCE_MS
  })
  return valuesNearby.filter((value) => value !== null).length >= 20 ? valuesNearby : values
}
