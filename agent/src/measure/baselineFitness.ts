import type { BaselineContent } from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'

const DAY_MS = 86_400_000
/** An older baseline gets a warning; beyond the maximum age, data and load have changed too much to compare. */
const WARNING_AGE_DAYS = 7
const MAX_AGE_DAYS = 30

/** The rollout and environment for which a baseline is used. */
export interface BaselineContext {
  readonly rollout: string
  readonly environment: string
  readonly fileHash: string
  readonly sourcesHash: string
  /** Milliseconds since 1970. */
  readonly now: number
}

type AssessedBaseline = Pick<
  BaselineContent,
  'rollout' | 'environment' | 'fileHash' | 'sourcesHash' | 'endedAt' | 'release'
>

/**
 * The warnings about a baseline, and the reasons why it cannot be used. Another rollout, another environment and other
 * signal sources measure something else. Another version of the file with the same sources measures the same.
 */
export function assessFitness(
  baseline: AssessedBaseline,
  context: BaselineContext,
): { warnings: string[]; unusable: string[] } {
  const days = (context.now - Date.parse(baseline.endedAt)) / DAY_MS
  const age = `it is ${formatQuantity(Math.floor(days), 'day')} old`
  const unusable = [
    ...(baseline.rollout === context.rollout
      ? []
      : [
          `it belongs to rollout ${baseline.rollout}, not to ${context.rollout}: take a baseline of this rollout (sti baseline)`,
        ]),
    ...(baseline.environment === context.environment
      ? []
      : [
          `it was measured in ${baseline.environment}, and this is ${context.environment}: machines and load differ, take a baseline here (sti baseline)`,
        ]),
    ...(baseline.sourcesHash === context.sourcesHash
      ? []
      : [
          'the rollout file has changed where signals are read (api, host or signals): take a new baseline (sti baseline)',
        ]),
    ...(days > MAX_AGE_DAYS ? [`${age} (limit ${MAX_AGE_DAYS} days): take a new baseline (sti baseline)`] : []),
  ]
  const warnings = [
    ...(baseline.fileHash === context.fileHash || baseline.sourcesHash !== context.sourcesHash
      ? []
      : ['it was taken with another version of the rollout file; the signal sources have not changed']),
    ...(days > WARNING_AGE_DAYS && days <= MAX_AGE_DAYS ? [`${age}`] : []),
    ...(days < -1 / 24 ? ['it ends in the future: check the clocks'] : []),
  ]
  return { warnings, unusable }
}
