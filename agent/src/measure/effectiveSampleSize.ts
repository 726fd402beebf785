/** A mean and how surely it is known. */
export interface SampleMean {
  readonly mean: number
  /** Of the values, with n - 1. */
  readonly variance: number
  readonly values: number
  /** How many independent values would tell the mean as surely; at most `values`. */
  readonly effective: number
}

/** Of values in the order of time; those that are not known are left out. Null: there are fewer than two. */
export function estimateMean(series: readonly (number | null)[]): SampleMean | null {
  const known = series.filter((value) => value !== null)
  if (known.length < 2) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const sampleVariance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1)
  // What is left of values that are all the same is rounding.
  const variance = sampleVariance <= (1e-12 * mean) ** 2 ? 0 : sampleVariance
  return { mean, variance, values: known.length, effective: known.length / autocorrelationTime(known, mean) }
}

/**
 * How many values in a row say the same: 1 + twice the sum of the autocorrelations, those summed in pairs as long as a
 * pair is positive. C. J. Geyer, Practical Markov chain Monte Carlo, Statistical Science 7 (1992), section 3.3: the
 * initial positive sequence. Readings over windows that overlap, and load that comes and goes, have less to say than
 * their number. Never below 1: what swings around its mean gets no credit.
 */
function autocorrelationTime(values: readonly number[], mean: number): number {
  const n = values.length
  const covariance = (lag: number): number => {
    let sum = 0
    for (let i = 0; i + lag < n; i++) sum += (values[i]! - mean) * (values[i + lag]! - mean)
    return sum / n
  }
  const variance = covariance(0)
  if (variance <= (1e-12 * mean) ** 2) return 1
  let integratedTime = -1
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const pair = (covariance(lag) + covariance(lag + 1)) / variance
    if (pair <= 0) break
    integratedTime += 2 * pair
  }
  return Math.min(n, Math.max(1, integratedTime))
}
