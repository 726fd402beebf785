import type { VariantBlock } from '../signals/variantBlock.ts'

/** Blocks are forgotten with this half-life. */
const HALF_LIFE_SECONDS = 60

/** The recent distribution of durations of both variants together, which decides how a block is compared. */
export interface DurationDistribution {
  add(block: VariantBlock): void
  readonly requests: number
  /** Indexes of the bounds that are exceeded by about these shares of requests, without repetition. */
  nearestBounds(shares: readonly number[]): number[]
  /** The log odds ratio by which the share above a bound grows if every request takes `1 + increase` times as long. */
  logOddsOfIncrease(bound: number, increase: number): number
}

export function createDurationDistribution(): DurationDistribution {
  let bounds: readonly number[] = []
  let slower: number[] = []
  let requests = 0

  // Half a request on either side keeps the odds finite.
  const odds = (count: number): number => Math.log((count + 0.5) / (requests - count + 0.5))

  /** The number of requests that took longer, linear within a bucket as in histogram_quantile. */
  function countSlower(seconds: number): number {
    const index = bounds.findIndex((bound) => bound >= seconds)
    if (index === -1) return slower.at(-1)!
    const [lower, before] = index === 0 ? [0, requests] : [bounds[index - 1]!, slower[index - 1]!]
    return before - ((before - slower[index]!) * (seconds - lower)) / (bounds[index]! - lower)
  }

  return {
    add(block) {
      if (block.bounds.length !== bounds.length) {
        // A new version of the application has other buckets.
        bounds = block.bounds
        slower = bounds.map(() => 0)
        requests = 0
      }
      const decay = 0.5 ** ((block.until - block.from) / 1_000 / HALF_LIFE_SECONDS)
      slower = slower.map((count, index) => decay * count + block.on.slower[index]! + block.off.slower[index]!)
      requests = decay * requests + block.on.all + block.off.all
    },
    get requests() {
      return requests
    },
    nearestBounds(shares) {
      const distances = (share: number): number[] =>
        slower.map((count) => Math.abs(odds(count) - Math.log(share / (1 - share))))
      return shares.map((share) => {
        const all = distances(share)
        return all.indexOf(Math.min(...all))
      })
    },
    logOddsOfIncrease: (bound, increase) =>
      Math.max(0, odds(countSlower(bounds[bound]! / (1 + increase))) - odds(slower[bound]!)),
  }
}
