import { FIRST_STRIPE_SHARE, MIN_STRIPE_SHARE } from './stripeBounds.ts'

/** Whether ranges are written in stripes, each a batch of its own: judged by what it brings. */
export interface StripePolicy {
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

export interface StripePolicyOptions {
  /** Why it would bring nothing, known before; null: it is tried. */
  readonly uselessBecause: string | null
  /** Names what keeps dead rows from being pruned now; null when there is nothing. */
  pruningBlocker(): string | null
  /** Each decision, once. */
  onDecision(sentence: string): void
  readonly now?: () => number
}

/** Ranges of each way that are measured before one is chosen. */
const TRIALS_PER_MODE = 2
/** Striping writes less WAL and leaves less bloat: it may be this much slower than plain ranges and still be chosen. */
const MIN_STRIPED_SPEED_RATIO = 0.8
/** Below this share of HOT updates it does not do what it is for. */
const MIN_HOT_RATIO = 0.3
/** When it is tried again after it did not pay. */
const RETRIAL_INTERVAL_MS = 30_000
const EWMA_WEIGHT = 0.3

interface TrialTotals {
  ranges: number
  written: number
  seconds: number
}

/**
 * Where pages have room for some rows, a first stripe of no more than those stays on its page as well. Rows that leave
 * would go into the room of other pages, which then lack it for their own.
 */
function nextFirstShare(share: number, hotRatio: number): number {
  if (hotRatio < 0.1) return FIRST_STRIPE_SHARE
  return hotRatio < 0.9 ? Math.max(MIN_STRIPE_SHARE, share * hotRatio) : Math.min(MAX_FIRST_STRIPE_SHARE, share * 1.2)
}
const MAX_FIRST_STRIPE_SHARE = 0.12

export function createStripePolicy(options: StripePolicyOptions): StripePolicy {
  const now = options.now ?? (() => performance.now())
  let mode: 'trial' | 'striped' | 'plain' = 'trial'
  let sentence = 'measures striped against plain ranges'
  let modeChangedAt = now()
  let striped: TrialTotals = { ranges: 0, written: 0, seconds: 0 }
  let plain: TrialTotals = { ranges: 0, written: 0, seconds: 0 }
  let meanHotRatio: number | null = null
  let share = FIRST_STRIPE_SHARE

  const decide = (newMode: typeof mode, reason: string): void => {
    const previousSentence = sentence
    mode = newMode
    modeChangedAt = now()
    sentence = reason
    if (reason !== previousSentence) options.onDecision(reason)
  }
  const restartTrial = (): void => {
    striped = { ranges: 0, written: 0, seconds: 0 }
    plain = { ranges: 0, written: 0, seconds: 0 }
    meanHotRatio = null
    mode = 'trial'
  }
  const percent = (ratio: number | null): string => (ratio === null ? 'unknown' : `${Math.round(ratio * 100)} %`)
  const chooseMode = (): void => {
    const [fast, slow] = [striped.written / striped.seconds, plain.written / plain.seconds]
    const rates = `${Math.round(fast)} rows/s striped, ${Math.round(slow)} plain`
    if (meanHotRatio !== null && meanHotRatio < MIN_HOT_RATIO) fallBack(rates)
    else if (fast < MIN_STRIPED_SPEED_RATIO * slow)
      decide('plain', `plain ranges: striping does not pay here (${rates})`)
    else decide('striped', `striped ranges: ${percent(meanHotRatio)} of the updates are HOT`)
  }
  const fallBack = (rates: string): void => {
    const blocker = options.pruningBlocker()
    decide(
      'plain',
      blocker === null
        ? `plain ranges: only ${percent(meanHotRatio)} of the updates of striped ones were HOT (${rates})`
        : `plain ranges: ${blocker} keeps dead rows from being pruned`,
    )
  }
  if (options.uselessBecause !== null) decide('plain', `plain ranges: ${options.uselessBecause}`)

  return {
    firstShare(rowsPerPage) {
      if (rowsPerPage < 2 || options.uselessBecause !== null) return 1
      if (mode === 'plain' && now() - modeChangedAt > RETRIAL_INTERVAL_MS) restartTrial()
      if (mode === 'trial') return striped.ranges <= plain.ranges / PLAIN_PER_STRIPED_RANGES ? share : 1
      return mode === 'striped' ? share : 1
    },
    observe({ striped: isStriped, written, seconds, hotRatio, firstHotRatio }) {
      if (written === 0 || seconds <= 0) return
      if (isStriped && firstHotRatio !== null) share = nextFirstShare(share, firstHotRatio)
      if (isStriped && hotRatio !== null)
        meanHotRatio = meanHotRatio === null ? hotRatio : EWMA_WEIGHT * hotRatio + (1 - EWMA_WEIGHT) * meanHotRatio
      if (mode === 'trial') {
        const tally = isStriped ? striped : plain
        tally.ranges++
        tally.written += written
        tally.seconds += seconds
        if (striped.ranges >= TRIALS_PER_MODE && plain.ranges >= TRIALS_PER_MODE * PLAIN_PER_STRIPED_RANGES)
          chooseMode()
      } else if (mode === 'striped' && meanHotRatio !== null && meanHotRatio < MIN_HOT_RATIO)
        fallBack(`after ${Math.round((now() - modeChangedAt) / 1000)} s`)
    },
    hotRatio: () => meanHotRatio,
    get sentence() {
      return sentence
    },
  }
}

/** A plain range is one batch and a striped one many: so many plain ones are measured against it. */
const PLAIN_PER_STRIPED_RANGES = 2
