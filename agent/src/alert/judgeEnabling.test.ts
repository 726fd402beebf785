import { expect, test } from 'vitest'
import { unknownApiReadings } from '../signals/apiScraper.ts'
import type { WindowedRequests } from '../signals/requestCounts.ts'
import type { DatabaseState } from './conditions/conditionInput.ts'
import { judgeEnabling } from './judgeEnabling.ts'

const window = (all: number, failed: number, slow: number): WindowedRequests => ({
  seconds: 30,
  all,
  failed: { value: failed, at: 1 },
  slowerThan: () => slow,
})
const state = { latencyLimit: 0.33, errorLimit: 0.001 } as DatabaseState
const paused = 'Automatic rollback is paused, so the flag would stay on.'
interface Situation {
  readonly notArmedReason?: string | null
  readonly latencyLimit?: number | null
  readonly counted?: boolean | null
  readonly percentage?: number
  readonly variants?: readonly ('on' | 'off')[]
  readonly controlLimits?: Parameters<typeof judgeEnabling>[0]['controlLimits']
}
const judge = (
  requests: WindowedRequests | null,
  {
    notArmedReason = null,
    latencyLimit = 0.33,
    counted = true,
    percentage = 100,
    variants = [],
    controlLimits = null,
  }: Situation = {},
) =>
  judgeEnabling({
    api: {
      ...unknownApiReadings('the service is down'),
      variants: new Set(variants),
      counted: requests === null ? { unknown: 'the service is down' } : { value: requests, at: 1 },
    },
    counted,
    state: { ...state, latencyLimit },
    notArmedReason,
    percentage,
    controlLimits,
  })

test('within the limits, nothing is said', () => {
  expect(judge(window(2_400, 0, 100))).toEqual({ refusals: [], warnings: [] })
})

test('above a limit by more than chance: refused while automatic rollback would turn the flag off again, else said', () => {
  const failing = judge(window(418, 57, 0))
  expect(failing.refusals).toEqual([
    expect.stringMatching(
      /^57 of 418 requests failed in the last 30 s \(13\.6%; limit 0\.1%\)\. Automatic rollback would/,
    ),
  ])
  const slow = judge(window(418, 0, 300))
  expect(slow.refusals).toEqual([expect.stringMatching(/^300 of 418 .* longer than 330 ms .*pause automatic rollback/)])
  expect(judge(window(418, 57, 300)).refusals).toHaveLength(2)
  expect(judge(window(418, 57, 0), { notArmedReason: paused })).toEqual({
    refusals: [],
    warnings: [expect.stringMatching(/^57 of 418 requests failed .* Automatic rollback is paused, so/)],
  })
})

test('what may be chance, and what cannot be read, is said, and nothing is refused', () => {
  expect(judge(window(418, 2, 0))).toEqual({
    refusals: [],
    warnings: [expect.stringMatching(/^The guard cannot decide at the moment: 2 of 418 .* random variation/)],
  })
  expect(judge(null).warnings).toHaveLength(2)
  expect(judge(window(418, 0, 0), { latencyLimit: null }).warnings).toEqual([expect.stringMatching(/No baseline/)])
})

test('a rollout file that does not read the application says nothing about it', () => {
  expect(judge(null, { counted: null })).toEqual({ refusals: [], warnings: [] })
})

test.each([
  ['50% with the label of the variant', { percentage: 50, variants: ['off'] }, 0],
  ['50% without the label', { percentage: 50, variants: [] }, 2],
  ['100% with the label', { percentage: 100, variants: ['on', 'off'] }, 2],
  ['0% with the label', { percentage: 0, variants: ['off'] }, 2],
] as const)('above the limits of the baseline, %s: a control group refuses nothing', (_, situation, refusals) => {
  const judged = judge(window(418, 57, 300), situation)
  expect(judged.refusals).toHaveLength(refusals)
  if (refusals > 0) return
  expect(judged.warnings).toEqual([
    expect.stringMatching(/^300 of 418 .* will be compared with requests with the flag off, so this alone will not/),
    expect.stringMatching(/^57 of 418 requests failed .* will be compared with requests with the flag off/),
  ])
})

test('at 100%, what the control group of this moment has is not refused, and more is', () => {
  const controlLimits = { latency: null, errorRatio: 0.15 }
  expect(judge(window(418, 57, 0), { controlLimits })).toMatchObject({ refusals: [] })
  expect(judge(window(418, 157, 0), { controlLimits }).refusals).toEqual([expect.stringMatching(/limit 15%/)])
})
