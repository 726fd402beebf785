import { beforeAll, describe, expect, test } from 'vitest'
import { HEALTHY_TRAFFIC, simulateStep, type SimulatedStep, type Traffic } from './trafficSimulation.testing.ts'

/** `STI_COMPARISON_RUNS=1000` simulates each kind of traffic that often, and prints the table of docs/flag.md. */
const RUNS = Number(process.env['STI_COMPARISON_RUNS'] ?? 2)
const isLong = RUNS >= 100

interface Kind {
  readonly name: string
  readonly traffic: Partial<Traffic>
}

const HEALTHY: readonly Kind[] = [
  { name: 'quiet machine', traffic: {} },
  { name: 'heavy tails', traffic: { heavyTail: true } },
  { name: 'diurnal load', traffic: { diurnal: true } },
  { name: 'a stall of 5 s', traffic: { stall: true } },
  { name: 'machine twice as slow, in bursts', traffic: { machineLoad: 2 } },
  { name: 'ten requests per key', traffic: { requestsPerKey: 10, errorRatio: 0.005 } },
  { name: 'on for 1%', traffic: { percentage: 1, heavyTail: true } },
  { name: 'on for 99%', traffic: { percentage: 99, heavyTail: true } },
  {
    name: 'everything together',
    traffic: { heavyTail: true, diurnal: true, stall: true, machineLoad: 2, errorRatio: 0.01, requestsPerKey: 3 },
  },
]

const FAULTS: readonly (Kind & { readonly within: number })[] = [
  { name: '20% slower', traffic: { slowdown: 1.2, seconds: 300 }, within: 300 },
  { name: '100% slower', traffic: { slowdown: 2, seconds: 60 }, within: 30 },
  { name: '1% fail', traffic: { errorRatioOn: 0.01, seconds: 240 }, within: 240 },
  { name: 'all fail', traffic: { errorRatioOn: 1, seconds: 30 }, within: 5 },
  { name: '100% slower from the fifth minute', traffic: { slowdown: 2, seconds: 360, faultFrom: 300 }, within: 60 },
  { name: '100% slower on a slow machine', traffic: { slowdown: 2, machineLoad: 2, seconds: 90 }, within: 60 },
  { name: 'all fail at 10%', traffic: { errorRatioOn: 1, percentage: 10, seconds: 30 }, within: 10 },
]

function simulate({ traffic }: Kind, runs = RUNS): SimulatedStep[] {
  return Array.from({ length: runs }, (_, seed) => simulateStep({ ...HEALTHY_TRAFFIC, ...traffic }, seed + 1))
}

beforeAll(() => {
  if (!isLong) return
  process.stdout.write(`
| traffic | rolled back | found after (median, worst) | passed | baseline: fail | baseline: pass |
| ------- | ----------- | --------------------------- | ------ | -------------- | -------------- |
`)
})

/** One row of the table in docs/flag.md. */
function printRow(name: string, steps: readonly SimulatedStep[]): void {
  if (!isLong) return
  const found = steps.flatMap(({ foundAfter }) => (foundAfter === null ? [] : [foundAfter])).sort((a, b) => a - b)
  const quantile = (q: number): string => `${found[Math.floor(q * (found.length - 1))]!.toFixed(1)} s`
  const verdicts = steps.map(({ baselineVerdict }) => baselineVerdict())
  const passed = steps.filter(
    ({ comparison: { latency, errors } }) => latency.verdict === 'pass' && errors.verdict === 'pass',
  ).length
  const cells = [
    name,
    `${found.length} of ${steps.length}`,
    found.length === 0 ? '–' : `${quantile(0.5)}, ${quantile(1)}`,
    passed,
    verdicts.filter((verdict) => verdict === 'fail').length,
    verdicts.filter((verdict) => verdict === 'pass').length,
  ]
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}

describe('seeded steps of ten minutes without a fault', { timeout: 3_600_000 }, () => {
  test.each(HEALTHY)('$name: no rollback', (kind) => {
    const steps = simulate(kind)
    printRow(kind.name, steps)
    const falseRollbacks = steps.filter(({ foundAfter }) => foundAfter !== null)
    expect(falseRollbacks.length).toBeLessThanOrEqual(Math.floor(RUNS / 1_000))
  })
})

describe('seeded steps with a fault of the new code', { timeout: 3_600_000 }, () => {
  test.each(FAULTS)('$name: found', (kind) => {
    const steps = simulate(kind)
    printRow(kind.name, steps)
    const foundInTime = steps.filter(({ foundAfter }) => foundAfter !== null && foundAfter <= kind.within)
    expect(foundInTime.length).toBeGreaterThanOrEqual(Math.floor(0.95 * steps.length))
  })
})

test('a healthy step passes if it has enough requests, and is inconclusive with too few', () => {
  const read = (traffic: Partial<Traffic>): SimulatedStep['comparison'] =>
    simulateStep({ ...HEALTHY_TRAFFIC, ...traffic }, 7).comparison
  expect(read({ seconds: 300 })).toMatchObject({
    latency: { verdict: 'pass' },
    errors: { verdict: 'pass' },
    missingSeconds: 0,
  })
  const short = read({ seconds: 20, percentage: 10 })
  expect(short).toMatchObject({ latency: { verdict: 'inconclusive' }, errors: { verdict: 'inconclusive' } })
  // 160 requests by type in 20 s, and 1,000 are needed.
  expect(short.missingSeconds).toBeGreaterThan(60)
  expect(read({ seconds: 12, requestsPerSecond: 2 }).errors.detail).toMatch(/^too few requests: \d+ by type/)
})

test('a fault that the machine has hits both variants, and is none of the new code', () => {
  const { comparison, baselineVerdict } = simulateStep(
    { ...HEALTHY_TRAFFIC, seconds: 120, machineLoad: 3, errorRatio: 0.2 },
    3,
  )
  expect(baselineVerdict()).toBe('fail')
  expect(comparison.latency.verdict).not.toBe('fail')
  expect(comparison.errors.verdict).not.toBe('fail')
})
