import { z } from 'zod'
import type { FlagStatus } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { readHoldback } from './holdback.ts'
import { maximumHoldSeconds } from './stepEstimate.ts'

/** The parameters of a ramp, with the state of the flag at the request. */
const RampParameters = z.object({
  force: z.boolean().default(false),
  /** Percentages, ascending to 100, or to what `flag.holdback` allows; none below the percentage at the request. */
  steps: z.array(z.number()).min(1),
  holdSeconds: z.number(),
  /** How long a step with too few requests is held at most. */
  maximumHoldSeconds: z.number(),
  /** The version of the flag at the request; a different version means that someone changed the flag. */
  fromVersion: z.number(),
})
export type RampParameters = z.infer<typeof RampParameters>

export function createRampParameters(rollout: Rollout, flag: FlagStatus): Omit<RampParameters, 'force'> {
  return {
    steps: remainingSteps(rollout, flag, Date.now()),
    holdSeconds: rollout.file.flag.hold,
    maximumHoldSeconds: maximumHoldSeconds(rollout.file.flag),
    fromVersion: flag.version,
  }
}

/**
 * A ramp never lowers the percentage: it starts with the first step that is not lower. It ends below 100% while
 * `flag.holdback` keeps a control group; empty: it waits for the end of the soak time.
 */
export function remainingSteps(rollout: Rollout, flag: FlagStatus, now: number): number[] {
  const currentPercentage = flag.enabled ? flag.percentage : 0
  const { maximum, until } = readHoldback(rollout, flag, now)
  if (until !== null) return []
  const steps = rollout.file.flag.ramp.map((step) => Math.min(step, maximum))
  return [...new Set(steps)].filter((step) => step >= currentPercentage)
}

export const parseRampParameters = (parameters: Record<string, unknown>): RampParameters =>
  RampParameters.parse(parameters)
