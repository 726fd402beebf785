import type { BaselineContent } from '../contract/index.ts'

const DAY_MS = 86_400_000
/** Older than this is said; older than the second, data and load are too far away to be judged by. */
const WARNING_AGE_DAYS = 7
const MAX_AGE_DAYS = 30

/** What a baseline is used for. */
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
 * What is to be said of a baseline, and why it may not be judged by. Another rollout, another environment and other
 * sources measure something else. Another version of the file with the same sources measures the same.
 */
export function assessFitness(
  baseline: AssessedBaseline,
  context: BaselineContext,
): { warnings: string[]; unusable: string[] } {
  const days = (context.now - Date.parse(baseline.endedAt)) / DAY_MS
  const age = `it is ${Math.floor(days)} days old`
  const unusable = [
    ...(baseline.rollout === context.rollout
      ? []
      : [`it is of rollout ${baseline.rollout}, not of ${context.rollout}: take one of this rollout (sti baseline)`]),
    ...(baseline.environment === context.environment
      ? []
      : [
          `it was measured in ${baseline.environment}, and this is ${context.environment}: machines and load differ, take one here (sti baseline)`,
        ]),
    ...(baseline.sourcesHash === context.sourcesHash
      ? []
      : [
          'the rollout file says now that signals are read elsewhere (api, host or signals): take a new one (sti baseline)',
        ]),
    ...(days > MAX_AGE_DAYS ? [`${age}, more than ${MAX_AGE_DAYS}: take a new one (sti baseline)`] : []),
  ]
  const warnings = [
    ...(baseline.fileHash === context.fileHash || baseline.sourcesHash !== context.sourcesHash
      ? []
      : ['it was taken under another version of the rollout file; where signals are read has not changed']),
    ...(days > WARNING_AGE_DAYS && days <= MAX_AGE_DAYS ? [`${age}`] : []),
    ...(days < -1 / 24 ? ['it ends in the future: compare the clocks'] : []),
  ]
  return { warnings, unusable }
}
