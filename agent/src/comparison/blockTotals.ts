import type { VariantBlock } from '../signals/variantBlock.ts'

/** Requests of both variants over one stretch of time. */
export interface PairedTotals {
  readonly on: { readonly all: number; readonly seconds: number }
  readonly off: { readonly all: number; readonly seconds: number }
}

/** The blocks of a step, added up over stretches of at least one second, which are paired: both variants had the same. */
export interface BlockTotals {
  add(block: VariantBlock): void
  stretches(): readonly PairedTotals[]
}

const STRETCH_MS = 1_000
const MAX_STRETCHES = 600

/** Bounded: after ten minutes the stretches become longer instead of more. */
export function createBlockTotals(): BlockTotals {
  let stretches: PairedTotals[] = []
  let stretchMs = STRETCH_MS
  let startedAt = -Infinity
  return {
    add(block) {
      const totals = { on: withoutBuckets(block.on), off: withoutBuckets(block.off) }
      // A timer is never exact: half a block early is on time.
      if (block.until - startedAt > stretchMs + (block.until - block.from) / 2 || stretches.length === 0) {
        if (stretches.length === MAX_STRETCHES) {
          stretches = mergePairs(stretches)
          stretchMs *= 2
        }
        stretches.push(totals)
        startedAt = block.from
      } else stretches.push(addTotals(stretches.pop()!, totals))
    },
    stretches: () => stretches,
  }
}

const withoutBuckets = ({ all, seconds }: PairedTotals['on']): PairedTotals['on'] => ({ all, seconds })

const addTotals = (a: PairedTotals, b: PairedTotals): PairedTotals => ({
  on: { all: a.on.all + b.on.all, seconds: a.on.seconds + b.on.seconds },
  off: { all: a.off.all + b.off.all, seconds: a.off.seconds + b.off.seconds },
})

function mergePairs(stretches: readonly PairedTotals[]): PairedTotals[] {
  return stretches.flatMap((stretch, index) => {
    const next = stretches[index + 1]
    return index % 2 === 1 ? [] : [next === undefined ? stretch : addTotals(stretch, next)]
  })
}
