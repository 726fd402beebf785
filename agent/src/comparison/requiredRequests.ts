import type { RolloutFile } from '../rollout/rolloutFile.ts'

/** The two-sided confidence of the interval of a pass (95%) plus a power of 90%, as normal quantiles. */
const QUANTILES = 1.959964 + 1.281552

/** The margins of a rollout file. */
export function comparisonMargins({ limits }: Pick<RolloutFile, 'limits'>): ComparisonMargins {
  const { apiLatencyIncrease, controlLatencyIncrease = apiLatencyIncrease, errorRatio } = limits
  return { increase: controlLatencyIncrease, errorRatio }
}

export interface ComparisonMargins {
  /** The mean of on may be this much longer than that of off, as a share. */
  readonly increase: number
  /** The ratio of failed requests that is accepted in any case. */
  readonly errorRatio: number
}

/**
 * How many requests of both variants together a step needs, so that code as fast as before passes with a probability of
 * 90%: the interval of the ratio of means then excludes the margin (by the delta method, as in J. M. Lachin,
 * Introduction to sample size determination and power analysis for clinical trials, Controlled Clinical Trials 2, 1981),
 * and at the limit at least one request of the new code is expected to fail. `variation` is the standard deviation of a
 * duration / its mean.
 */
export function requiredRequests(
  percentage: number,
  { increase, errorRatio }: ComparisonMargins,
  variation: number | null,
): number {
  const share = percentage / 100
  const forErrors = errorRatio > 0 ? 1 / errorRatio / share : 0
  const forLatency =
    variation === null ? 0 : (QUANTILES * (variation / Math.log1p(increase))) ** 2 * (1 / share + 1 / (1 - share))
  return Math.ceil(Math.max(forErrors, forLatency))
}

/** How many times as long a measurement has to be, to tell the margin with this error. */
export function requiredFactor(logError: number, increase: number): number {
  return ((QUANTILES * logError) / Math.log1p(increase)) ** 2
}
