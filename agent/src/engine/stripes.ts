/**
 * On a full page the first stripe's new row versions have to go elsewhere. Once that batch is committed, whoever visits
 * the page next prunes it, and the next stripe's versions fit into what became free: they are HOT, which spares every
 * index. New versions are a little larger than old ones, and each leaves a line pointer behind, so that what is free
 * shrinks from stripe to stripe: so do the stripes.
 */
export interface Page {
  /** Rows to write on it. */
  readonly rows: number
  /** The last line pointer of those; they are taken to be spread evenly up to it. */
  readonly lines: number
}

/** The first stripe's share of the rows. Larger, it would split the leaves of indexes that are ordered like the heap. */
export const FIRST_SHARE = 0.0864
const FALLS = 0.94
export const LEAST_SHARE = 0.025
/** Line pointers are told apart by their low byte, which is cheaper, unless a page has more of them. */
export const LAST_LINE = 255
/** No page has more line pointers. */
const LAST_LINE_OF_ANY = 65_535

/**
 * Up to which line pointer each stripe goes, ascending; the last one takes the rest. What is below a stripe was written
 * by those before it.
 *
 * @param most line pointers of a stripe at most; at least 1
 * @param first the first stripe's share of the rows; 1: one plain range
 */
export function stripesOf({ rows, lines }: Page, most: number, first: number): number[] {
  const end = Math.max(1, lines)
  const bounds: number[] = []
  let at = 0
  for (let share = first; at < end; share = Math.max(LEAST_SHARE, share * FALLS)) {
    const width = first < 1 ? Math.max(1, (Math.max(1, rows * share) * end) / Math.max(1, rows)) : end
    at += Math.min(width, most)
    if (Math.floor(at) > (bounds.at(-1) ?? 0)) bounds.push(Math.floor(at))
  }
  return [...bounds.slice(0, -1), lines > LAST_LINE ? LAST_LINE_OF_ANY : LAST_LINE]
}

/** Rows that the largest stripe has on such a page, as far as `most` does not hold it down. */
export function rowsOfLargest({ rows }: Page, first: number): number {
  return Math.max(1, rows * first)
}
