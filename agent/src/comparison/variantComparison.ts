import { formatLatency, type SignalComparison, type VariantComparison, type VariantTotals } from '../contract/index.ts'
import { formatCount, formatPercent } from '../format/format.ts'
import { createBlockTotals } from './blockTotals.ts'
import { logConditionalEvidence, logRatioEvidence } from './conditionalEvidence.ts'
import { errorRatioDifference, estimateMeanRatio } from './differenceIntervals.ts'
import { createDurationDistribution } from './durationDistribution.ts'
import { createFaultDetector } from './faultDetector.ts'
import { requiredFactor, type ComparisonMargins } from './requiredRequests.ts'
import { createSplitDispersion } from './splitDispersion.ts'
import type { VariantBlock, VariantCounts } from '../signals/variantBlock.ts'

/** The probability that noise fails a step of ten minutes; half of it for latency, half for errors. */
export const STEP_ERROR_PROBABILITY = 0.001
const SIGNAL_ERROR_PROBABILITY = STEP_ERROR_PROBABILITY / 2
/** Below this probability a deviation is no pass, though it is not a fault yet. */
export const SUSPICION_PROBABILITY = 0.05
/** With fewer requests of either variant nothing is said. */
export const MIN_VARIANT_REQUESTS = 20
/** New code fills its caches and prepares its statements: its first seconds are slower than those of the old code. */
const WARM_UP_MS = 5_000

/** Log odds ratios, beyond the allowed one, among which the evidence is mixed. */
const ERROR_EFFECTS = [0.4, 1, 2, 4]
const LATENCY_EFFECTS = [0.2, 0.5, 1.2, 3]
/** The shares of slow requests whose bounds are compared: from the faster half to the slowest of a thousand. */
const SLOW_SHARES = [0.75, 0.5, 0.25, 0.08, 0.01, 0.001]

/** Compares the requests with the flag on with those with the flag off, block by block, since one change of the flag. */
export interface VariantComparer {
  add(block: VariantBlock): void
  /** True while the evidence for a fault is beyond its threshold; `read` says so, too, and more. */
  hasFault(): boolean
  read(): VariantComparison
}

export function createVariantComparer(margins: ComparisonMargins, startedAt: number): VariantComparer {
  const dispersion = createSplitDispersion()
  const durations = createDurationDistribution()
  const totals = createBlockTotals()
  const moreErrorsThanOff = createFaultDetector(ERROR_EFFECTS.length, SIGNAL_ERROR_PROBABILITY)
  const moreErrorsThanLimit = createFaultDetector(ERROR_EFFECTS.length, SIGNAL_ERROR_PROBABILITY)
  const slowerThanOff = createFaultDetector(SLOW_SHARES.length * LATENCY_EFFECTS.length, SIGNAL_ERROR_PROBABILITY)
  const sums = { on: { requests: 0, failed: 0, seconds: 0 }, off: { requests: 0, failed: 0, seconds: 0 } }
  let seconds = 0
  let errorsUnknown: string | null = null

  const temper = (logEvidence: readonly number[]): number[] => logEvidence.map((log) => log / dispersion.value)

  function addErrors({ on, off, errorsUnknown: unknown }: VariantBlock, blockSeconds: number): void {
    errorsUnknown = unknown
    if (unknown !== null) return
    const table = { on: { all: on.all, events: on.failed }, off: { all: off.all, events: off.failed } }
    const allowed = Math.log1p(margins.increase)
    moreErrorsThanOff.add(temper(logConditionalEvidence(table, allowed, ERROR_EFFECTS)), blockSeconds)
    moreErrorsThanLimit.add(temper(logRatioEvidence(table.on, margins.errorRatio, ERROR_EFFECTS)), blockSeconds)
  }

  function addDurations({ on, off }: VariantBlock, blockSeconds: number): void {
    // The bounds are chosen by earlier blocks: a choice by this one would be a choice of its noise.
    if (durations.requests < MIN_VARIANT_REQUESTS) return
    const evidence = durations.nearestBounds(SLOW_SHARES).map((bound) => {
      const table = {
        on: { all: on.all, events: on.slower[bound]! },
        off: { all: off.all, events: off.slower[bound]! },
      }
      return logConditionalEvidence(table, durations.logOddsOfIncrease(bound, margins.increase), LATENCY_EFFECTS)
    })
    slowerThanOff.add(temper(evidence.flat()), blockSeconds)
  }

  /** Both must be exceeded, so the weaker evidence counts. */
  const errorProbability = (): number => Math.max(moreErrorsThanOff.probability(), moreErrorsThanLimit.probability())

  return {
    add(block) {
      const blockSeconds = (block.until - block.from) / 1_000
      addErrors(block, blockSeconds)
      if (block.bounds.length > 0) {
        if (block.from - startedAt >= WARM_UP_MS) {
          addDurations(block, blockSeconds)
          totals.add(block)
        }
        durations.add(block)
      }
      dispersion.add(block)
      seconds += blockSeconds
      addCounts(sums.on, block.on)
      addCounts(sums.off, block.off)
    },
    hasFault: () => Math.min(slowerThanOff.probability(), errorProbability()) < SIGNAL_ERROR_PROBABILITY,
    read() {
      const [on, off] = [toTotals(sums.on), toTotals(sums.off)]
      const tooFew = describeTooFew(on, off)
      const ratio = tooFew === null ? estimateMeanRatio(totals.stretches()) : null
      const latencyProbability = slowerThanOff.probability()
      const latency = judgeLatency({ ratio, probability: latencyProbability, tooFew, on, off, margins })
      const errors = judgeErrors({ probability: errorProbability(), tooFew, errorsUnknown, on, off, margins })
      return { on, off, seconds, latency, errors, missingSeconds: estimateMissingSeconds() }

      function estimateMissingSeconds(): number | null {
        if (latency.verdict !== 'inconclusive' && errors.verdict !== 'inconclusive') return 0
        if (on.requests === 0 || seconds === 0) return null
        const forErrors =
          errors.verdict === 'inconclusive' && margins.errorRatio > 0
            ? seconds * (1 / margins.errorRatio / on.requests - 1)
            : 0
        if (latency.verdict !== 'inconclusive') return Math.max(0, Math.ceil(forErrors))
        if (ratio === null) return null
        return Math.max(
          0,
          Math.ceil(forErrors),
          Math.ceil(seconds * (requiredFactor(ratio.logError, margins.increase) - 1)),
        )
      }
    },
  }
}

interface CountSums {
  requests: number
  failed: number
  seconds: number
}

function addCounts(sums: CountSums, { all, failed, seconds }: VariantCounts): void {
  sums.requests += all
  sums.failed += failed
  sums.seconds += seconds
}

const toTotals = ({ requests, failed, seconds }: CountSums): VariantTotals => ({
  requests,
  failed,
  latency: requests === 0 ? null : seconds / requests,
})

function describeTooFew(on: VariantTotals, off: VariantTotals): string | null {
  if (Math.min(on.requests, off.requests) >= MIN_VARIANT_REQUESTS) return null
  return `too few requests: ${formatCount(on.requests)} by type, ${formatCount(off.requests)} by legacy columns (at least ${MIN_VARIANT_REQUESTS} of each required)`
}

interface SignalInput {
  readonly probability: number
  readonly tooFew: string | null
  readonly on: VariantTotals
  readonly off: VariantTotals
  readonly margins: ComparisonMargins
}

function judgeLatency(input: SignalInput & { readonly ratio: ReturnType<typeof estimateMeanRatio> }): SignalComparison {
  const { ratio, probability, tooFew, on, off, margins } = input
  const value = ratio?.ratio ?? null
  const between = ratio === null ? null : [...ratio.between]
  const known = { value, between, probability }
  if (tooFew !== null) return { ...known, verdict: 'inconclusive', detail: tooFew }
  const limit = formatPercent(margins.increase)
  const means = `${formatLatency(on.latency!)} by type, ${formatLatency(off.latency!)} by legacy columns`
  const interval =
    ratio === null
      ? ''
      : ` (${formatRatio(ratio.ratio)}, 95% confidence ${formatRatio(ratio.between[0])} to ${formatRatio(ratio.between[1])}; limit +${limit})`
  const detail = `mean latency ${means}${interval}`
  if (probability < SIGNAL_ERROR_PROBABILITY)
    return { ...known, verdict: 'fail', detail: `${detail}; more requests by type are slow` }
  if (ratio === null) return { ...known, verdict: 'inconclusive', detail: `${detail}; measured for too short a time` }
  if (probability < SUSPICION_PROBABILITY)
    return {
      ...known,
      verdict: 'inconclusive',
      detail: `${detail}; more requests by type are slow, which may be noise`,
    }
  if (ratio.between[1] >= 1 + margins.increase)
    return { ...known, verdict: 'inconclusive', detail: `${detail}; more requests are needed to tell` }
  return { ...known, verdict: 'pass', detail }
}

function judgeErrors(input: SignalInput & { readonly errorsUnknown: string | null }): SignalComparison {
  const { probability, tooFew, errorsUnknown, on, off, margins } = input
  if (errorsUnknown !== null)
    return { value: null, between: null, probability: 1, verdict: 'inconclusive', detail: errorsUnknown }
  const isKnown = on.requests > 0 && off.requests > 0
  const ratios = { on: on.failed / on.requests, off: off.failed / off.requests }
  const value = isKnown ? ratios.on - ratios.off : null
  const between = isKnown
    ? [...errorRatioDifference({ all: on.requests, failed: on.failed }, { all: off.requests, failed: off.failed })]
    : null
  const known = { value, between, probability }
  const limit = Math.max(margins.errorRatio, isKnown ? ratios.off * (1 + margins.increase) : 0)
  const detail = isKnown
    ? `${describeFailures(on)} by type, ${describeFailures(off)} by legacy columns (limit ${formatPercent(limit)})`
    : (tooFew ?? '')
  // Enough failures among few requests are a fault; too few requests only prevent a pass.
  if (probability < SIGNAL_ERROR_PROBABILITY) return { ...known, verdict: 'fail', detail }
  if (tooFew !== null) return { ...known, verdict: 'inconclusive', detail: tooFew }
  if (probability < SUSPICION_PROBABILITY || ratios.on > limit)
    return { ...known, verdict: 'inconclusive', detail: `${detail}; this may be noise` }
  if (margins.errorRatio > 0 && on.requests * margins.errorRatio < 1)
    return {
      ...known,
      verdict: 'inconclusive',
      detail: `${detail}; at least ${formatCount(Math.ceil(1 / margins.errorRatio))} requests by type are needed to tell`,
    }
  return { ...known, verdict: 'pass', detail }
}

function describeFailures({ failed, requests }: VariantTotals): string {
  return `${formatCount(failed)} of ${formatCount(requests)} requests failed (${formatPercent(failed / requests)})`
}

const formatRatio = (ratio: number): string => `${ratio.toFixed(2)}×`
