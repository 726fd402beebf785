/** A mean and how well it is known. */
export interface SampleMean {
  readonly mean: number
  /** Sample variance, with n - 1. */
  readonly variance: number
  readonly values: number
  /** How many independent values would determine the mean as well; at most `values`. */
  readonly effective: number
}

/** Estimates the mean of values in time order, ignoring unknown ones. Null: there are fewer than two. */
export function estimateMean(series: readonly (number | null)[]): SampleMean | null {
  const known = series.filter((value) => value !== null)
  if (known.length < 2) return null
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const sampleVariance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1)
  // The variance of equal values is only rounding error.
  const variance = sampleVariance <= (1e-12 * mean) ** 2 ? 0 : sampleVariance
  return { mean, variance, values: known.length, effective: known.length / autocorrelationTime(known, mean) }
}

/**
 * The integrated autocorrelation time: 1 + twice the sum of the autocorrelations, summed in pairs as long as a pair is
 * positive. C. J. Geyer, Practical Markov chain Monte Carlo, Statistical Science 7 (1992), section 3.3: the
 * initial positive sequence. Overlapping windows and fluctuating load carry less information than the number of
 * readings suggests. Never below 1: negative autocorrelation gets no credit.
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
