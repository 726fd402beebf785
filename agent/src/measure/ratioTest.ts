import type { Verdict } from '../contract/index.ts'
import type { SampleMean } from './effectiveSampleSize.ts'
import { studentCriticalValue, studentUpperTail } from './studentT.ts'

/** How often noise alone may fail a mean that is exactly at its limit. Of one that is as before, far less often. */
export const SIGNIFICANCE_LEVEL = 0.01
/** Fewer values than this on either side, or worth fewer independent ones than the second, prove nothing. */
export const MIN_VALUES = 8
const MIN_EFFECTIVE_VALUES = 5
/** A pass means: had it been this much beyond its limit, in parts of the baseline, that would have been seen. */
const RESOLUTION_RATIO = 0.2

export interface RatioLimit {
  /** What now / baseline may reach. */
  readonly ratio: number
  /** At most: it must not rise above; at least: it must not fall below. */
  readonly side: 'at most' | 'at least'
}

export interface RatioTestResult {
  readonly verdict: Extract<Verdict, 'pass' | 'fail' | 'inconclusive'>
  readonly ratio: number | null
  /** Where the ratio lies with 98 %, beside the verdict. */
  readonly between: readonly [number, number] | null
  /** That a ratio at the limit gives what was seen, or more. */
  readonly probability: number | null
  readonly detail: string
}

/**
 * Whether a mean has moved beyond its limit against the baseline's: the test of a ratio of two means against a margin,
 * with unequal variances. T = (now - limit · baseline) / sqrt(s²now / n + limit² · s²baseline / m) is compared with
 * Student's t, its degrees of freedom by Satterthwaite. B. L. Welch, The generalization of 'Student's' problem when
 * several different population variances are involved, Biometrika 34 (1947); for ratios with a margin: D. Hauschke,
 * M. Kieser and L. A. Hothorn, Proof of safety in toxicology based on the ratio of two means for normally distributed
 * data, Biometrical Journal 41 (1999). n and m are effective sizes (mean.ts).
 *
 * `fail`: beyond the limit, and noise gives that with a probability below `error`. `pass`: not beyond it, and the noise
 * is small enough for a mean 20 points further to have failed. Else inconclusive: longer, or more, says more.
 */
export function testRatio(
  now: SampleMean,
  baseline: SampleMean,
  limit: RatioLimit,
  significance = SIGNIFICANCE_LEVEL,
): RatioTestResult {
  const undecided = { verdict: 'inconclusive', ratio: null, between: null, probability: null } as const
  for (const [which, { effective, values }] of [['now', now] as const, ['of the baseline', baseline] as const]) {
    if (values < MIN_VALUES)
      return { ...undecided, detail: `too few values ${which}: ${values}, it takes ${MIN_VALUES}` }
    if (effective < MIN_EFFECTIVE_VALUES) {
      const worth = `${values} values ${which} are worth ${Math.floor(effective)} independent ones`
      return { ...undecided, detail: `${worth}, it takes ${MIN_EFFECTIVE_VALUES}: measure for longer` }
    }
  }
  if (baseline.mean <= 0) return { ...undecided, detail: 'the baseline is 0: there is no ratio to it' }
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
    return { ...known, verdict: 'inconclusive', detail: `${description}: beyond the limit, but that may be noise` }
  if (halfWidth > RESOLUTION_RATIO) {
    return { ...known, verdict: 'inconclusive', detail: `${description}: too noisy to tell, measure for longer` }
  }
  return { ...known, verdict: 'pass', detail: description }
}

function describeRatio(ratio: number, interval: readonly [number, number] | null): string {
  const intervalText =
    interval === null ? '' : ` (with 98 % between ${interval[0].toFixed(3)} and ${interval[1].toFixed(3)})`
  return `${ratio.toFixed(3)} times the baseline${intervalText}`
}
