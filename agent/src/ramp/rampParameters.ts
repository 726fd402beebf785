import { z } from 'zod'
import type { FlagStatus } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** What a ramp keeps of the moment at which it was asked for, beside what was asked. */
const RampParameters = z.object({
  force: z.boolean().default(false),
  /** Percentages, rising to 100; none below what the flag had then. */
  steps: z.array(z.number()).min(1),
  holdSeconds: z.number(),
  /** The version of the flag then: with another one somebody has changed it since. */
  fromVersion: z.number(),
})
export type RampParameters = z.infer<typeof RampParameters>

export function createRampParameters(rollout: Rollout, flag: FlagStatus): Omit<RampParameters, 'force'> {
  return { steps: remainingSteps(rollout, flag), holdSeconds: rollout.file.flag.hold, fromVersion: flag.version }
}

/** A ramp never lowers the percentage: it begins with the first step that is no lower. */
export function remainingSteps(rollout: Rollout, flag: FlagStatus): number[] {
  const currentPercentage = flag.enabled ? flag.percentage : 0
  return rollout.file.flag.ramp.filter((step) => step >= currentPercentage)
}

export const parseRampParameters = (parameters: Record<string, unknown>): RampParameters =>
  RampParameters.parse(parameters)
