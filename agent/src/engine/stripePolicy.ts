import { formatCount, formatDuration } from '../format/format.ts'
import { FIRST_STRIPE_SHARE, MIN_STRIPE_SHARE } from './stripeBounds.ts'

/** Decides by measurement if ranges are written in stripes or plain. */
export interface StripePolicy {
  /** Share of the rows of the next range that its first stripe writes: 0 to 1; 1: a plain range. */
  firstShare(rowsPerPage: number): number
  observe(range: RangeCost): void
  /** Share of HOT updates in the last striped ranges: 0 to 1; null before the first one. */
  hotRatio(): number | null
  /** How ranges are written now, and why. */
  readonly sentence: string
}

/** What a range cost. The HOT shares are null if they are unknown. */
export interface RangeCost {
  readonly striped: boolean
  readonly written: number
  readonly seconds: number
  readonly hotRatio: number | null
  readonly firstHotRatio: number | null
}

export interface StripePolicyOptions {
  /** The reason why striping cannot help, if that is known in advance. */
  readonly uselessBecause: string | null
  /** Names what prevents the pruning of dead rows now; null if nothing does. */
  pruningBlocker(): string | null
  /** Called once per decision. */
  onDecision(sentence: string): void
  readonly now?: () => number
}

/** Striped ranges that are measured before a mode is chosen. */
const TRIALS_PER_MODE = 2
/** A plain range is one batch and a striped range many, so more plain ranges are measured. */
const PLAIN_PER_STRIPED_RANGES = 2
/** Striping writes less WAL and leaves less bloat, so it may be this much slower than plain ranges. */
const MIN_STRIPED_SPEED_RATIO = 0.8
/** Below this share of HOT updates, striping does not do its job. */
const MIN_HOT_RATIO = 0.3
/** Striping is tried again this long after it did not pay. */
const RETRIAL_INTERVAL_MS = 30_000
const MAX_FIRST_STRIPE_SHARE = 0.12
const EWMA_WEIGHT = 0.3

interface TrialTotals {
  ranges: number
  written: number
  seconds: number
}

/**
 * If pages have free space for some rows, a first stripe of that size is HOT as well. A larger one moves rows to other
 * pages, which then lack that space for their own rows.
 */
function nextFirstShare(share: number, hotRatio: number): number {
  if (hotRatio < 0.1) return FIRST_STRIPE_SHARE
  return hotRatio < 0.9 ? Math.max(MIN_STRIPE_SHARE, share * hotRatio) : Math.min(MAX_FIRST_STRIPE_SHARE, share * 1.2)
}

export function createStripePolicy(options: StripePolicyOptions): StripePolicy {
  const now = options.now ?? (() => performance.now())
  let mode: 'trial' | 'striped' | 'plain' = 'trial'
  let sentence = 'measuring striped and plain ranges'
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
  const percent = (ratio: number | null): string =>
    ratio === null ? 'an unknown share' : `${Math.round(ratio * 100)}%`
  const chooseMode = (): void => {
    const [stripedRate, plainRate] = [striped.written / striped.seconds, plain.written / plain.seconds]
    const rates = `${formatCount(Math.round(stripedRate))} rows/s striped, ${formatCount(Math.round(plainRate))} rows/s plain`
    if (meanHotRatio !== null && meanHotRatio < MIN_HOT_RATIO) fallBack(rates)
    else if (stripedRate < MIN_STRIPED_SPEED_RATIO * plainRate)
      decide('plain', `plain ranges: striping is too slow (${rates})`)
    else decide('striped', `striped ranges: ${percent(meanHotRatio)} of updates are HOT`)
  }
  const fallBack = (evidence: string): void => {
    const blocker = options.pruningBlocker()
    decide(
      'plain',
      blocker === null
        ? `plain ranges: only ${percent(meanHotRatio)} of updates in striped ranges were HOT (${evidence})`
        : `plain ranges: dead rows cannot be pruned because of ${blocker}`,
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
        fallBack(`after ${formatDuration(Math.round((now() - modeChangedAt) / 1000))}`)
    },
    hotRatio: () => meanHotRatio,
    get sentence() {
      return sentence
    },
  }
}
