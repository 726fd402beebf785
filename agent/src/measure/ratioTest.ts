import type { Verdict } from '../contract/index.ts'
import type { Mean } from './mean.ts'
import { criticalT, upperTail } from './studentT.ts'

/** How often noise alone may fail a mean that is exactly at its limit. Of one that is as before, far less often. */
export const ERROR = 0.01
/** Fewer values than this on either side, or worth fewer independent ones than the second, prove nothing. */
export const ENOUGH = 8
const ENOUGH_EFFECTIVE = 5
/** A pass means: had it been this much beyond its limit, in parts of the baseline, that would have been seen. */
const RESOLUTION = 0.2

export interface Limit {
  /** What now / baseline may reach. */
  readonly ratio: number
  /** At most: it must not rise above; at least: it must not fall below. */
  readonly side: 'at most' | 'at least'
}

export interface Judgement {
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
export function judge(now: Mean, baseline: Mean, limit: Limit, error = ERROR): Judgement {
  const nothing = { verdict: 'inconclusive', ratio: null, between: null, probability: null } as const
  for (const [which, { effective, values }] of [['now', now] as const, ['of the baseline', baseline] as const]) {
    if (values < ENOUGH) return { ...nothing, detail: `too few values ${which}: ${values}, it takes ${ENOUGH}` }
    if (effective < ENOUGH_EFFECTIVE) {
      const worth = `${values} values ${which} are worth ${Math.floor(effective)} independent ones`
      return { ...nothing, detail: `${worth}, it takes ${ENOUGH_EFFECTIVE}: measure for longer` }
    }
  }
  if (baseline.mean <= 0) return { ...nothing, detail: 'the baseline is 0: there is no ratio to it' }
  const sign = limit.side === 'at most' ? 1 : -1
  const ratio = now.mean / baseline.mean
  const deviation = sign * (now.mean - limit.ratio * baseline.mean)
  const parts = [now.variance / now.effective, (limit.ratio ** 2 * baseline.variance) / baseline.effective] as const
  const error2 = parts[0] + parts[1]
  const beyond = sign * (ratio - limit.ratio) > 0
  if (error2 === 0) {
    const verdict = beyond ? 'fail' : 'pass'
    return { verdict, ratio, between: [ratio, ratio], probability: beyond ? 0 : 1, detail: inWords(ratio, null) }
  }
  const standardError = Math.sqrt(error2)
  const degrees = error2 ** 2 / (parts[0] ** 2 / (now.effective - 1) + parts[1] ** 2 / (baseline.effective - 1))
  const probability = upperTail(deviation / standardError, degrees)
  const width = (criticalT(ERROR, degrees) * standardError) / baseline.mean
  const between = [Math.max(0, ratio - width), ratio + width] as const
  const known = { ratio, between, probability }
  const said = inWords(ratio, between)
  if (probability < error) return { ...known, verdict: 'fail', detail: said }
  if (beyond) return { ...known, verdict: 'inconclusive', detail: `${said}: beyond the limit, but that may be noise` }
  if (width > RESOLUTION) {
    return { ...known, verdict: 'inconclusive', detail: `${said}: too noisy to tell, measure for longer` }
  }
  return { ...known, verdict: 'pass', detail: said }
}

function inWords(ratio: number, between: readonly [number, number] | null): string {
  const range = between === null ? '' : ` (with 98 % between ${between[0].toFixed(3)} and ${between[1].toFixed(3)})`
  return `${ratio.toFixed(3)} times the baseline${range}`
}
