import type { VariantBlock } from '../signals/variantBlock.ts'

/** Each block contributes one squared deviation; this many blocks with an expectation of 1 are assumed beforehand. */
const PRIOR_BLOCKS = 10
/** Blocks are forgotten with this half-life, in blocks, since traffic changes. */
const HALF_LIFE_BLOCKS = 600
const DECAY = 0.5 ** (1 / HALF_LIFE_BLOCKS)

/**
 * How many requests fall to a variant together: requests with the same targeting key always get the same variant, so that
 * ten requests of one page view are one draw and not ten. It shows in the numbers of requests per block: their squared
 * deviation from the binomial distribution (R. W. M. Wedderburn, Quasi-likelihood functions, Biometrika 61, 1974). At
 * least 1. Evidence is divided by it: an e-value to the power of 1 / d is an e-value for draws of d requests.
 */
export interface SplitDispersion {
  add(block: VariantBlock): void
  readonly value: number
}

export function createSplitDispersion(): SplitDispersion {
  let [on, all, deviations, blocks] = [0, 0, PRIOR_BLOCKS, PRIOR_BLOCKS]
  return {
    add(block) {
      const requests = block.on.all + block.off.all
      if (requests < 2) return
      const share = on / all
      if (all > 0 && share > 0 && share < 1) {
        // The share is an estimate too, so that a deviation from it is larger.
        const variance = requests * share * (1 - share) * (1 + requests / all)
        // One extreme block, such as the first of a step, does not decide.
        const deviation = Math.min(50, (block.on.all - share * requests) ** 2 / variance)
        deviations = DECAY * deviations + deviation
        blocks = DECAY * blocks + 1
      }
      on = DECAY * on + block.on.all
      all = DECAY * all + requests
    },
    get value() {
      return Math.max(1, deviations / blocks)
    },
  }
}
