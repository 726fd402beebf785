/**
 * On a full page the first stripe's new row versions have to go elsewhere. Once that batch is committed, whoever visits
 * the page next prunes it, and the next stripe's versions fit into what became free: they are HOT, which spares every
 * index. New versions are a little larger than old ones, and each leaves a line pointer behind, so that what is free
 * shrinks from stripe to stripe: so do the stripes.
 */
export interface PageLayout {
  /** Rows to write on it. */
  readonly rows: number
  /** The last line pointer of those; they are taken to be spread evenly up to it. */
  readonly lastLinePointer: number
}

/** The first stripe's share of the rows. Larger, it would split the leaves of indexes that are ordered like the heap. */
export const FIRST_STRIPE_SHARE = 0.0864
const STRIPE_SHARE_DECAY = 0.94
export const MIN_STRIPE_SHARE = 0.025
/** Line pointers are told apart by their low byte, which is cheaper, unless a page has more of them. */
export const MAX_ONE_BYTE_LINE_POINTER = 255
/** No page has more line pointers. */
const MAX_LINE_POINTER = 65_535

/**
 * Up to which line pointer each stripe goes, ascending; the last one takes the rest. What is below a stripe was written
 * by those before it.
 *
 * @param most line pointers of a stripe at most; at least 1
 * @param first the first stripe's share of the rows; 1: one plain range
 */
export function computeStripeBounds(
  { rows, lastLinePointer }: PageLayout,
  maxLinePointers: number,
  firstShare: number,
): number[] {
  const end = Math.max(1, lastLinePointer)
  const bounds: number[] = []
  let bound = 0
  for (let share = firstShare; bound < end; share = Math.max(MIN_STRIPE_SHARE, share * STRIPE_SHARE_DECAY)) {
    const width = firstShare < 1 ? Math.max(1, (Math.max(1, rows * share) * end) / Math.max(1, rows)) : end
    bound += Math.min(width, maxLinePointers)
    if (Math.floor(bound) > (bounds.at(-1) ?? 0)) bounds.push(Math.floor(bound))
  }
  return [
    ...bounds.slice(0, -1),
    lastLinePointer > MAX_ONE_BYTE_LINE_POINTER ? MAX_LINE_POINTER : MAX_ONE_BYTE_LINE_POINTER,
  ]
}

/** Rows that the largest stripe has on such a page, as far as `most` does not hold it down. */
export function largestStripeRows({ rows }: PageLayout, firstShare: number): number {
  return Math.max(1, rows * firstShare)
}
