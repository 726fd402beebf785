import { formatDuration, formatPercent } from '../format/format.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ApiReadings } from '../signals/apiScraper.ts'
import { isKnown } from '../signals/reading.ts'
import type { Baseline } from '../contract/index.ts'
import { findBaselineLimit } from './signalLimits.ts'

/**
 * One clause if the reading of this moment is at or above the limit that the guard acts on, so that a comparison over minutes
 * and the guard, which judges seconds, do not contradict each other without a word. Null: it is not, or is not known.
 */
export function momentaryExcess(
  signal: string,
  api: ApiReadings,
  { file }: Pick<Rollout, 'file'>,
  baseline: Baseline,
): string | null {
  const meanOf = (name: string): number | null =>
    baseline.content.signals.find((candidate) => candidate.signal === name)?.mean ?? null
  const explain = (what: string): string =>
    `the last reading is ${what}, which automatic rollback acts on if it lasts; this check judges the whole time since the last change`
  if (signal === 'api-error-ratio') {
    const limit = Math.max(file.limits.errorRatio, (meanOf(signal) ?? 0) * (1 + file.limits.apiLatencyIncrease))
    const { errorRatio } = api
    return isKnown(errorRatio) && errorRatio.value > 0 && errorRatio.value >= limit
      ? explain(`${formatPercent(errorRatio.value)} failed requests (limit ${formatPercent(limit)})`)
      : null
  }
  if (signal !== 'api-latency-p95' && signal !== 'api-latency-average') return null
  const mean = meanOf('api-latency-p95')
  const { latencyP95 } = api
  if (mean === null || !isKnown(latencyP95)) return null
  const limit = mean * findBaselineLimit(file, 'api-latency-p95')!.ratio
  return latencyP95.value >= limit
    ? explain(`a 95th percentile latency of ${formatDuration(latencyP95.value)} (limit ${formatDuration(limit)})`)
    : null
}
