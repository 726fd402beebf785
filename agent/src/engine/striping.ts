import { FIRST_SHARE, LEAST_SHARE } from './stripes.ts'

/** Whether ranges are written in stripes, each a batch of its own: judged by what it brings. */
export interface Striping {
  /** The first stripe's share of the next range's rows, with so many to write on each of its pages; 1: a plain range. */
  firstShare(rowsPerPage: number): number
  /** What a range cost: rows written, seconds of its batches, and its share of HOT updates where that is known. */
  observe(range: {
    striped: boolean
    written: number
    seconds: number
    hotRatio: number | null
    /** Of the first stripe alone. */
    firstHotRatio: number | null
  }): void
  /** Of the last ranges; null before there were any. */
  hotRatio(): number | null
  /** For people: how it writes, and why. */
  readonly sentence: string
}

export interface StripingOptions {
  /** Why it would bring nothing, known before; null: it is tried. */
  readonly useless: string | null
  /** Names what keeps dead rows from being pruned now; null when there is nothing. */
  blocker(): string | null
  /** Each decision, once. */
  decided(sentence: string): void
  readonly now?: () => number
}

/** Ranges of each way that are measured before one is chosen. */
const TRIALS = 2
/** Striping writes less WAL and leaves less bloat: it may be this much slower than plain ranges and still be chosen. */
const WORTH = 0.8
/** Below this share of HOT updates it does not do what it is for. */
const LEAST_HOT = 0.3
/** When it is tried again after it did not pay. */
const AGAIN_MS = 30_000
const WEIGHT = 0.3

interface Tally {
  ranges: number
  written: number
  seconds: number
}

/**
 * Where pages have room for some rows, a first stripe of no more than those stays on its page as well. Rows that leave
 * would go into the room of other pages, which then lack it for their own.
 */
function nextShare(share: number, hotRatio: number): number {
  if (hotRatio < 0.1) return FIRST_SHARE
  return hotRatio < 0.9 ? Math.max(LEAST_SHARE, share * hotRatio) : Math.min(MOST_SHARE, share * 1.2)
}
const MOST_SHARE = 0.12

export function createStriping(options: StripingOptions): Striping {
  const now = options.now ?? (() => performance.now())
  let mode: 'trial' | 'striped' | 'plain' = 'trial'
  let sentence = 'measures striped against plain ranges'
  let since = now()
  let striped: Tally = { ranges: 0, written: 0, seconds: 0 }
  let plain: Tally = { ranges: 0, written: 0, seconds: 0 }
  let hot: number | null = null
  let share = FIRST_SHARE

  const decide = (to: typeof mode, why: string): void => {
    const said = sentence
    mode = to
    since = now()
    sentence = why
    if (why !== said) options.decided(why)
  }
  const tryAgain = (): void => {
    striped = { ranges: 0, written: 0, seconds: 0 }
    plain = { ranges: 0, written: 0, seconds: 0 }
    hot = null
    mode = 'trial'
  }
  const percent = (ratio: number | null): string => (ratio === null ? 'unknown' : `${Math.round(ratio * 100)} %`)
  const judge = (): void => {
    const [fast, slow] = [striped.written / striped.seconds, plain.written / plain.seconds]
    const rates = `${Math.round(fast)} rows/s striped, ${Math.round(slow)} plain`
    if (hot !== null && hot < LEAST_HOT) fallBack(rates)
    else if (fast < WORTH * slow) decide('plain', `plain ranges: striping does not pay here (${rates})`)
    else decide('striped', `striped ranges: ${percent(hot)} of the updates are HOT`)
  }
  const fallBack = (rates: string): void => {
    const blocker = options.blocker()
    decide(
      'plain',
      blocker === null
        ? `plain ranges: only ${percent(hot)} of the updates of striped ones were HOT (${rates})`
        : `plain ranges: ${blocker} keeps dead rows from being pruned`,
    )
  }
  if (options.useless !== null) decide('plain', `plain ranges: ${options.useless}`)

  return {
    firstShare(rowsPerPage) {
      if (rowsPerPage < 2 || options.useless !== null) return 1
      if (mode === 'plain' && now() - since > AGAIN_MS) tryAgain()
      if (mode === 'trial') return striped.ranges <= plain.ranges / PLAIN_RANGES ? share : 1
      return mode === 'striped' ? share : 1
    },
    observe({ striped: inStripes, written, seconds, hotRatio, firstHotRatio }) {
      if (written === 0 || seconds <= 0) return
      if (inStripes && firstHotRatio !== null) share = nextShare(share, firstHotRatio)
      if (inStripes && hotRatio !== null) hot = hot === null ? hotRatio : WEIGHT * hotRatio + (1 - WEIGHT) * hot
      if (mode === 'trial') {
        const tally = inStripes ? striped : plain
        tally.ranges++
        tally.written += written
        tally.seconds += seconds
        if (striped.ranges >= TRIALS && plain.ranges >= TRIALS * PLAIN_RANGES) judge()
      } else if (mode === 'striped' && hot !== null && hot < LEAST_HOT)
        fallBack(`after ${Math.round((now() - since) / 1000)} s`)
    },
    hotRatio: () => hot,
    get sentence() {
      return sentence
    },
  }
}

/** A plain range is one batch and a striped one many: so many plain ones are measured against it. */
const PLAIN_RANGES = 2
