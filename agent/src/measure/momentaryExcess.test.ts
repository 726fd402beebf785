import { expect, test } from 'vitest'
import type { Baseline } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { unknownApiReadings } from '../signals/apiScraper.ts'
import { momentaryExcess } from './momentaryExcess.ts'

const rollout = { file: { limits: { apiLatencyIncrease: 0.1, errorRatio: 0.001 } } } as unknown as Rollout
const baseline = (errorRatio: number) =>
  ({
    content: {
      signals: [
        { signal: 'api-latency-p95', mean: 0.3 },
        { signal: 'api-error-ratio', mean: errorRatio },
      ],
    },
  }) as unknown as Baseline
const read = (value: number) => ({ value, at: 1 })

test.each([
  ['api-latency-p95', { latencyP95: read(0.48) }, 0, /latency of 480 ms \(limit 330 ms\), which automatic rollback/],
  ['api-latency-average', { latencyP95: read(0.331) }, 0, /95th percentile latency/],
  ['api-latency-p95', { latencyP95: read(0.329) }, 0, null],
  ['api-latency-p95', {}, 0, null],
  ['api-error-ratio', { errorRatio: read(0.136) }, 0, /^the last reading is 13\.6% failed requests \(limit 0\.1%\)/],
  ['api-error-ratio', { errorRatio: read(0) }, 0, null],
  ['api-error-ratio', { errorRatio: read(0.02) }, 0.05, null],
  ['api-throughput', { latencyP95: read(9), errorRatio: read(1) }, 0, null],
] as const)('%s with the readings %j', (signal, readings, errorRatio, clause) => {
  const api = { ...unknownApiReadings('not read'), ...readings }
  const text = momentaryExcess(signal, api, rollout, baseline(errorRatio))
  if (clause === null) expect(text).toBeNull()
  else expect(text).toMatch(clause)
})
