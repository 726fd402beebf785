import { comparisonMargins, requiredRequests } from '../comparison/requiredRequests.ts'
import { formatDuration, formatPercent } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { ApiReadings } from '../signals/apiScraper.ts'
import { isKnown } from '../signals/reading.ts'
import { OBSERVATION_MS } from '../validation/performance/prepareComparison.ts'

/** How long a step takes if nothing is wrong, and why it takes longer than `flag.hold`. */
export interface StepEstimate {
  readonly seconds: number
  /** One sentence; null: `flag.hold` decides. */
  readonly note: string | null
}

/** Estimates one step from the current traffic of the application. */
export function estimateStep(
  { rollout, baseline }: Pick<RolloutFacts, 'rollout' | 'baseline'>,
  api: ApiReadings,
  percentage: number,
): StepEstimate {
  const { hold } = rollout.file.flag
  if (percentage < 100 && api.variants.size > 0) return estimateComparedStep(rollout, api, percentage)
  if (baseline === null || baseline.unusable.length > 0) return { seconds: hold, note: null }
  const observation = OBSERVATION_MS[baseline.measured] / 1_000
  if (observation <= hold) return { seconds: hold, note: null }
  return {
    seconds: observation,
    note: `${percentage}% takes ${formatDuration(observation)}, because the comparison with the baseline needs that time.`,
  }
}

function estimateComparedStep(
  { file }: RolloutFacts['rollout'],
  { requestRate, durationVariation }: ApiReadings,
  percentage: number,
): StepEstimate {
  const { hold } = file.flag
  const maximum = maximumHoldSeconds(file.flag)
  if (!file.validation.requires.includes('performance')) return { seconds: hold, note: null }
  if (!isKnown(requestRate) || requestRate.value === 0)
    return {
      seconds: hold,
      note: `${percentage}% may take up to ${formatDuration(maximum)}: the traffic is not known.`,
    }
  const variation = isKnown(durationVariation) ? durationVariation.value : null
  const margins = comparisonMargins(file)
  const requests = requiredRequests(percentage, margins, variation)
  const seconds = Math.ceil(requests / requestRate.value)
  if (seconds <= hold) return { seconds: hold, note: null }
  const needed = `At ${requestRate.value.toFixed(1)} requests per second, ${percentage}% needs about ${formatDuration(seconds)} to tell a difference of ${formatPercent(margins.increase)} or an error ratio of ${formatPercent(margins.errorRatio)}`
  if (seconds <= maximum) return { seconds, note: `${needed}.` }
  return {
    seconds: maximum,
    note: `${needed}, which is longer than flag.maximumHold (${formatDuration(maximum)}): the ramp will pause there unless you raise flag.maximumHold or the percentage.`,
  }
}

/** How long a step is held at most while it has too few requests. */
export const maximumHoldSeconds = (flag: {
  readonly hold: number
  readonly maximumHold?: number | undefined
}): number => Math.max(flag.hold, flag.maximumHold ?? 3 * flag.hold)
