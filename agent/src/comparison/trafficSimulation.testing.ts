import { estimateMean } from '../measure/effectiveSampleSize.ts'
import { judgeErrorRatio } from '../measure/compareSignal.ts'
import { testRatio } from '../measure/ratioTest.ts'
import type { VariantComparison } from '../contract/index.ts'
import { createVariantComparer } from './variantComparison.ts'
import type { VariantBlock } from '../signals/variantBlock.ts'

/** Traffic with a flag on for a part of it, on a machine with a state that both variants share. */
export interface Traffic {
  readonly requestsPerSecond: number
  /** Percentage of targeting keys. */
  readonly percentage: number
  readonly seconds: number
  /** A second of the step from which new code has the fault. */
  readonly faultFrom: number
  /** The duration of new code / that of old code. */
  readonly slowdown: number
  /** Additional ratio of failed requests of new code. */
  readonly errorRatioOn: number
  /** Ratio of failed requests of both. */
  readonly errorRatio: number
  /** Mean number of requests that one targeting key sends together. */
  readonly requestsPerKey: number
  /** Every hundredth request takes up to a thousand times as long. */
  readonly heavyTail: boolean
  /** The load rises and falls during the step, and the durations with it. */
  readonly diurnal: boolean
  /** The machine does nothing for 5 s, in the middle of the step; some of its requests fail. */
  readonly stall: boolean
  /** The machine is this much slower than during the baseline, in bursts. */
  readonly machineLoad: number
}

export const HEALTHY_TRAFFIC: Traffic = {
  requestsPerSecond: 80,
  percentage: 50,
  seconds: 600,
  faultFrom: 0,
  slowdown: 1,
  errorRatioOn: 0,
  errorRatio: 0,
  requestsPerKey: 1,
  heavyTail: false,
  diurnal: false,
  stall: false,
  machineLoad: 1,
}

const BLOCK_SECONDS = 0.5
const BOUNDS = [0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5]
const MEDIAN_SECONDS = 0.005

type BaselineVerdict = 'pass' | 'fail' | 'inconclusive'

export interface SimulatedStep {
  /** Seconds after the fault began, or after the step began without one; null: not found. */
  readonly foundAfter: number | null
  readonly comparison: VariantComparison
  /** The verdict of the test against a baseline of ten quiet minutes before the step. */
  baselineVerdict(): BaselineVerdict
}

/** Simulates one step from a seed. */
export function simulateStep(traffic: Traffic, seed: number): SimulatedStep {
  const random = createRandom(seed)
  const comparer = createVariantComparer({ increase: 0.1, errorRatio: 0.001 }, 0)
  const during: Reading[] = []
  let foundAfter: number | null = null
  for (const block of simulateBlocks(traffic, random)) {
    comparer.add(block)
    addToReadings(during, block)
    const elapsed = block.until / 1_000
    if (foundAfter === null && comparer.hasFault()) foundAfter = elapsed - traffic.faultFrom
  }
  const quiet = { ...traffic, machineLoad: 1, stall: false, slowdown: 1, errorRatioOn: 0, seconds: 600 }
  return {
    foundAfter,
    comparison: comparer.read(),
    baselineVerdict: () => judgeAgainstBaseline(readIntervals(quiet, createRandom(-seed)), during),
  }
}

function* simulateBlocks(traffic: Traffic, random: Random): Generator<VariantBlock> {
  const { seconds, requestsPerKey } = traffic
  let burst = random.normal()
  for (let from = 0; from < seconds; from += BLOCK_SECONDS) {
    burst = 0.97 * burst + Math.sqrt(1 - 0.97 ** 2) * random.normal()
    const wave = traffic.diurnal ? Math.sin((2 * Math.PI * from) / seconds) : 0
    const isStalled = traffic.stall && from >= seconds / 2 && from < seconds / 2 + 5
    const machine = traffic.machineLoad ** (1 + 0.5 * burst) * Math.exp(0.3 * wave + 0.1 * random.normal())
    const counts = { on: newCounts(), off: newCounts() }
    const keys = random.poisson((traffic.requestsPerSecond * BLOCK_SECONDS * (1 + 0.5 * wave)) / requestsPerKey)
    for (let key = 0; key < keys; key++) {
      const isOn = random.uniform() * 100 < traffic.percentage
      const isFaulty = isOn && from >= traffic.faultFrom
      const requests = requestsPerKey === 1 ? 1 : 1 + random.poisson(requestsPerKey - 1)
      // What one key asks for is similar: its requests are slow or fast together.
      const similar = requestsPerKey === 1 ? 0 : 0.4 * random.normal()
      for (let request = 0; request < requests; request++) {
        let duration = MEDIAN_SECONDS * machine * Math.exp(0.6 * random.normal() + similar)
        if (traffic.heavyTail && random.uniform() < 0.01) duration *= Math.min(1_000, random.uniform() ** (-1 / 1.1))
        if (isFaulty) duration *= traffic.slowdown
        if (isStalled) duration += 5 * random.uniform()
        const failureRatio = traffic.errorRatio + (isFaulty ? traffic.errorRatioOn : 0) + (isStalled ? 0.2 : 0)
        countRequest(isOn ? counts.on : counts.off, duration, random.uniform() < failureRatio)
      }
    }
    yield { from: from * 1_000, until: (from + BLOCK_SECONDS) * 1_000, bounds: BOUNDS, errorsUnknown: null, ...counts }
  }
}

interface Counts {
  all: number
  failed: number
  seconds: number
  slower: number[]
}

const newCounts = (): Counts => ({ all: 0, failed: 0, seconds: 0, slower: BOUNDS.map(() => 0) })

function countRequest(counts: Counts, duration: number, failed: boolean): void {
  counts.all++
  if (failed) counts.failed++
  counts.seconds += duration
  for (let index = 0; index < BOUNDS.length && duration > BOUNDS[index]!; index++) counts.slower[index]!++
}

/** What the baseline's test reads: the requests of both variants in intervals of 5 s. */
interface Reading {
  until: number
  all: number
  failed: number
  seconds: number
}

function readIntervals(traffic: Traffic, random: Random): Reading[] {
  const readings: Reading[] = []
  for (const block of simulateBlocks(traffic, random)) addToReadings(readings, block)
  return readings
}

function addToReadings(readings: Reading[], { from, until, on, off }: VariantBlock): void {
  if (from % 5_000 === 0) readings.push({ until, all: 0, failed: 0, seconds: 0 })
  const reading = readings.at(-1)!
  reading.all += on.all + off.all
  reading.failed += on.failed + off.failed
  reading.seconds += on.seconds + off.seconds
}

function judgeAgainstBaseline(before: readonly Reading[], during: readonly Reading[]): BaselineVerdict {
  const means = (readings: readonly Reading[]): number[] =>
    readings.filter(({ all }) => all > 0).map(({ seconds, all }) => seconds / all)
  const sum = (of: (reading: Reading) => number): number => during.reduce((total, reading) => total + of(reading), 0)
  const latency = testRatio(estimateMean(means(during))!, estimateMean(means(before))!, { ratio: 1.1, side: 'at most' })
  const errors = judgeErrorRatio({ failed: sum(({ failed }) => failed), all: sum(({ all }) => all) }, 0.001)
  const verdicts = [latency.verdict, errors.verdict]
  if (verdicts.includes('fail')) return 'fail'
  return verdicts.every((verdict) => verdict === 'pass') ? 'pass' : 'inconclusive'
}

interface Random {
  uniform(): number
  normal(): number
  poisson(mean: number): number
}

/** mulberry32, with normal values by Box and Muller. */
function createRandom(seed: number): Random {
  let state = (seed * 0x9e3779b9) >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  return {
    uniform,
    normal,
    poisson(mean) {
      const limit = Math.exp(-mean)
      let count = 0
      for (let product = uniform(); product > limit; product *= uniform()) count++
      return count
    },
  }
}
