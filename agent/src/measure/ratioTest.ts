import type { Verdict } from '../contract/index.ts'
import type { SampleMean } from './effectiveSampleSize.ts'
import { studentCriticalValue, studentUpperTail } from './studentT.ts'

/** The probability that noise alone fails a mean exactly at its limit. An unchanged mean fails far less often. */
export const SIGNIFICANCE_LEVEL = 0.01
/** Fewer values than this on either side, or fewer effective values, are inconclusive. */
export const MIN_VALUES = 8
const MIN_EFFECTIVE_VALUES = 5
/** A pass means that a mean this far beyond its limit (as a share of the baseline) would have been detected. */
const RESOLUTION_RATIO = 0.2

export interface RatioLimit {
  /** The limit of now / baseline. */
  readonly ratio: number
  /** At most: an upper limit; at least: a lower limit. */
  readonly side: 'at most' | 'at least'
}

export interface RatioTestResult {
  readonly verdict: Extract<Verdict, 'pass' | 'fail' | 'inconclusive'>
  readonly ratio: number | null
  /** The 98% confidence interval of the ratio. */
  readonly between: readonly [number, number] | null
  /** The probability of this result or a worse one if the true ratio were at the limit. */
  readonly probability: number | null
  readonly detail: string
}

/**
 * Tests if a mean has moved beyond its limit compared with the baseline: a test of the ratio of two means against a
 * margin, with unequal variances. T = (now - limit · baseline) / sqrt(s²now / n + limit² · s²baseline / m) is compared with
 * Student's t, its degrees of freedom by Satterthwaite. B. L. Welch, The generalization of 'Student's' problem when
 * several different population variances are involved, Biometrika 34 (1947); for ratios with a margin: D. Hauschke,
 * M. Kieser and L. A. Hothorn, Proof of safety in toxicology based on the ratio of two means for normally distributed
 * data, Biometrical Journal 41 (1999). n and m are effective sample sizes (effectiveSampleSize.ts).
 *
 * `fail`: beyond the limit, with a probability under noise below SIGNIFICANCE_LEVEL. `pass`: not beyond the limit, and
 * noise is low enough that a mean 20 points further would have failed. Otherwise inconclusive: measure for longer.
 */
export function testRatio(
  now: SampleMean,
  baseline: SampleMean,
  limit: RatioLimit,
  significance = SIGNIFICANCE_LEVEL,
): RatioTestResult {
  const undecided = { verdict: 'inconclusive', ratio: null, between: null, probability: null } as const
  for (const [which, { effective, values }] of [['now', now] as const, ['in the baseline', baseline] as const]) {
    if (values < MIN_VALUES)
      return { ...undecided, detail: `too few values ${which}: ${values} (minimum ${MIN_VALUES})` }
    if (effective < MIN_EFFECTIVE_VALUES) {
      const worth = `${values} values ${which} are worth ${Math.floor(effective)} independent values`
      return { ...undecided, detail: `${worth} (minimum ${MIN_EFFECTIVE_VALUES}): measure for longer` }
    }
  }
  if (baseline.mean <= 0) return { ...undecided, detail: 'the baseline is 0, so there is no ratio' }
  const sign = limit.side === 'at most' ? 1 : -1
  const ratio = now.mean / baseline.mean
  const deviation = sign * (now.mean - limit.ratio * baseline.mean)
  const varianceParts = [
    now.variance / now.effective,
    (limit.ratio ** 2 * baseline.variance) / baseline.effective,
  ] as const
  const errorVariance = varianceParts[0] + varianceParts[1]
  const isBeyondLimit = sign * (ratio - limit.ratio) > 0
  if (errorVariance === 0) {
    const verdict = isBeyondLimit ? 'fail' : 'pass'
    return {
      verdict,
      ratio,
      between: [ratio, ratio],
      probability: isBeyondLimit ? 0 : 1,
      detail: describeRatio(ratio, null),
    }
  }
  const standardError = Math.sqrt(errorVariance)
  const degrees =
    errorVariance ** 2 /
    (varianceParts[0] ** 2 / (now.effective - 1) + varianceParts[1] ** 2 / (baseline.effective - 1))
  const probability = studentUpperTail(deviation / standardError, degrees)
  const halfWidth = (studentCriticalValue(SIGNIFICANCE_LEVEL, degrees) * standardError) / baseline.mean
  const interval = [Math.max(0, ratio - halfWidth), ratio + halfWidth] as const
  const known = { ratio, between: interval, probability }
  const description = describeRatio(ratio, interval)
  if (probability < significance) return { ...known, verdict: 'fail', detail: description }
  if (isBeyondLimit)
    return { ...known, verdict: 'inconclusive', detail: `${description}; beyond the limit, but this may be noise` }
  if (halfWidth > RESOLUTION_RATIO) {
    return { ...known, verdict: 'inconclusive', detail: `${description}; too noisy to tell: measure for longer` }
  }
  return { ...known, verdict: 'pass', detail: description }
}

function describeRatio(ratio: number, interval: readonly [number, number] | null): string {
  const intervalText =
    interval === null ? '' : ` (98% confidence: ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)})`
  return `${ratio.toFixed(3)}× the baseline${intervalText}`
}
