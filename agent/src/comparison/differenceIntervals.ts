import { estimateMean } from '../measure/effectiveSampleSize.ts'
import { studentCriticalValue } from '../measure/studentT.ts'
import type { PairedTotals } from './blockTotals.ts'

/** Intervals have a confidence of 95%. */
const TAIL_PROBABILITY = 0.025
const NORMAL_CRITICAL_VALUE = 1.959964
const MIN_STRETCHES = 8

export interface RatioInterval {
  readonly ratio: number
  readonly between: readonly [number, number]
  /** The standard error of the logarithm of the ratio. */
  readonly logError: number
}

/**
 * The mean duration of on / off. Its error is estimated from stretches of a second, in which both variants met the same
 * conditions: what one second does to both cancels, and the requests of one second count as one observation (the
 * linearized ratio estimator of W. G. Cochran, Sampling techniques, 1977, section 6; by their autocorrelation, stretches
 * count as fewer). Null: too little was measured.
 */
export function estimateMeanRatio(stretches: readonly PairedTotals[]): RatioInterval | null {
  const total = { on: { all: 0, seconds: 0 }, off: { all: 0, seconds: 0 } }
  for (const { on, off } of stretches) {
    total.on.all += on.all
    total.on.seconds += on.seconds
    total.off.all += off.all
    total.off.seconds += off.seconds
  }
  if (stretches.length < MIN_STRETCHES || total.on.seconds <= 0 || total.off.seconds <= 0) return null
  const means = { on: total.on.seconds / total.on.all, off: total.off.seconds / total.off.all }
  const deviations = stretches.map(
    ({ on, off }) =>
      (on.seconds - means.on * on.all) / total.on.seconds - (off.seconds - means.off * off.all) / total.off.seconds,
  )
  const { variance, values, effective } = estimateMean(deviations)!
  const logError = (Math.sqrt(variance) * values) / Math.sqrt(effective)
  const ratio = means.on / means.off
  const factor = Math.exp(studentCriticalValue(TAIL_PROBABILITY, Math.max(1, effective - 1)) * logError)
  return { ratio, between: [ratio / factor, ratio * factor], logError }
}

interface Failures {
  readonly all: number
  readonly failed: number
}

/**
 * The interval of the difference of two ratios of failed requests, on - off: R. G. Newcombe, Interval estimation for the
 * difference between independent proportions, Statistics in Medicine 17 (1998), method 10.
 */
export function errorRatioDifference(on: Failures, off: Failures): readonly [number, number] {
  const [a, b] = [wilsonInterval(on), wilsonInterval(off)]
  const difference = a.ratio - b.ratio
  return [
    difference - Math.hypot(a.ratio - a.between[0], b.between[1] - b.ratio),
    difference + Math.hypot(a.between[1] - a.ratio, b.ratio - b.between[0]),
  ]
}

function wilsonInterval({ all, failed }: Failures): { ratio: number; between: [number, number] } {
  const z2 = NORMAL_CRITICAL_VALUE ** 2
  const ratio = failed / all
  const center = (failed + z2 / 2) / (all + z2)
  const half = (NORMAL_CRITICAL_VALUE / (all + z2)) * Math.sqrt((failed * (all - failed)) / all + z2 / 4)
  return { ratio, between: [Math.max(0, center - half), Math.min(1, center + half)] }
}
