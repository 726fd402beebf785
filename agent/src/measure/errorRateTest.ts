import type { TimedValue } from '../signals/prometheusClient.ts'

/** Failed requests and all requests, from the application's readings. */
export interface RequestCounts {
  readonly failed: number
  readonly all: number
}

/** A reading covers the time since the previous one, up to this maximum: the agent may have been down. */
const MAX_READING_GAP_MS = 30_000

/** Counts requests from the error ratio and the request rate, which are read together. */
export function countRequests(ratios: readonly TimedValue[], rates: readonly TimedValue[]): RequestCounts {
  const ratioAt = new Map(ratios.map(({ at, value }) => [at, value]))
  const requests = { failed: 0, all: 0 }
  rates.forEach(({ at, value }, index) => {
    const before = rates[index - 1]
    const ratio = ratioAt.get(at)
    if (before === undefined || ratio === undefined) return
    const count = (value * Math.min(MAX_READING_GAP_MS, at - before.at)) / 1000
    requests.all += count
    requests.failed += count * ratio
  })
  return { failed: Math.round(requests.failed), all: Math.round(requests.all) }
}

/**
 * The probability of this many failed requests or more if their true ratio were `limit`: the exact upper tail of the
 * Poisson distribution, which the binomial tail of rare errors does not exceed. C. J. Clopper and E. S. Pearson, The use of confidence or fiducial
 * limits illustrated in the case of the binomial, Biometrika 26 (1934).
 */
export function poissonUpperTail({ failed, all }: RequestCounts, limit: number): number {
  if (failed === 0) return 1
  const expected = all * limit
  if (expected === 0) return 0
  let term = Math.exp(-expected)
  // exp(-expected) underflows: the sum below would start from 0.
  if (term === 0) return failed > expected ? chernoffUpperTail(failed, expected) : 1
  let cumulative = 0
  for (let count = 0; count < failed; count++) {
    cumulative += term
    term *= expected / (count + 1)
  }
  return Math.max(0, 1 - cumulative)
}

/** Above an expectation of 700 the normal distribution is as good: Chernoff's bound of its tail. */
function chernoffUpperTail(failed: number, expected: number): number {
  return Math.exp(-((failed - expected) ** 2) / (2 * failed))
}
