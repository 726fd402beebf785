/**
 * Average page of a range. On a full page, the new row versions of the first stripe go to other pages. Once that batch is
 * committed, the next visit prunes the page, and the versions of the next stripe fit into the free space: those updates
 * are HOT and touch no index. New versions are a little larger than old ones, and each leaves a line pointer behind, so
 * the free space shrinks from stripe to stripe, and the stripes with it.
 */
export interface PageLayout {
  /** Rows to write per page. */
  readonly rows: number
  /** The last line pointer of the rows to write, which are assumed to be spread evenly. */
  readonly lastLinePointer: number
}

/** Share of the rows in the first stripe. A larger share splits the leaf pages of indexes that are ordered like the heap. */
export const FIRST_STRIPE_SHARE = 0.0864
const STRIPE_SHARE_DECAY = 0.94
export const MIN_STRIPE_SHARE = 0.025
/** Share of the rows in every stripe of a range in shards of Citus. */
export const SHARD_STRIPE_SHARE = 0.125
/** Up to this line pointer the low byte is compared alone, which is cheaper. */
export const MAX_ONE_BYTE_LINE_POINTER = 255
/** A line pointer has two bytes. */
const MAX_LINE_POINTER = 65_535

/**
 * Computes the last line pointer of each stripe, ascending; the last stripe takes the rest. Rows below a stripe have been
 * written by the stripes before it.
 *
 * @param maxLinePointers maximum line pointers per stripe; at least 1
 * @param firstShare share of the rows in the first stripe, 0 to 1; 1: a plain range
 * @param minShare share of the rows to which stripes shrink
 */
export function computeStripeBounds(
  { rows, lastLinePointer }: PageLayout,
  maxLinePointers: number,
  firstShare: number,
  minShare = MIN_STRIPE_SHARE,
): number[] {
  const end = Math.max(1, lastLinePointer)
  const bounds: number[] = []
  let bound = 0
  for (let share = firstShare; bound < end; share = Math.max(minShare, share * STRIPE_SHARE_DECAY)) {
    const width = firstShare < 1 ? Math.max(1, (Math.max(1, rows * share) * end) / Math.max(1, rows)) : end
    bound += Math.min(width, maxLinePointers)
    if (Math.floor(bound) > (bounds.at(-1) ?? 0)) bounds.push(Math.floor(bound))
  }
  return [
    ...bounds.slice(0, -1),
    lastLinePointer > MAX_ONE_BYTE_LINE_POINTER ? MAX_LINE_POINTER : MAX_ONE_BYTE_LINE_POINTER,
  ]
}

/** Rows per page in the largest stripe, before the limit of line pointers. */
export function largestStripeRows({ rows }: PageLayout, firstShare: number): number {
  return Math.max(1, rows * firstShare)
}
