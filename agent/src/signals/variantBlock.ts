/** Requests of one variant of the flag that ended within one block of time. */
export interface VariantCounts {
  readonly all: number
  readonly failed: number
  /** The sum of their durations. */
  readonly seconds: number
  /** How many took longer than each bound of the block, in the order of the bounds. */
  readonly slower: readonly number[]
}

/** Requests of both variants over the same time, between two readings of the application's histogram. */
export interface VariantBlock {
  /** Milliseconds since 1970. */
  readonly from: number
  readonly until: number
  /** The finite upper bounds of the histogram, ascending, in seconds. */
  readonly bounds: readonly number[]
  /** Why failed requests cannot be told from others; null: they can. */
  readonly errorsUnknown: string | null
  /** New code: the flag was on for the request. */
  readonly on: VariantCounts
  /** Old code, the control group: the flag was off. */
  readonly off: VariantCounts
}
