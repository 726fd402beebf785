import { z } from 'zod'
import type { FlagStatus } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** The parameters of a ramp, with the state of the flag at the request. */
const RampParameters = z.object({
  force: z.boolean().default(false),
  /** Percentages, ascending to 100; none below the percentage at the request. */
  steps: z.array(z.number()).min(1),
  holdSeconds: z.number(),
  /** The version of the flag at the request; a different version means that someone changed the flag. */
  fromVersion: z.number(),
})
export type RampParameters = z.infer<typeof RampParameters>

export function createRampParameters(rollout: Rollout, flag: FlagStatus): Omit<RampParameters, 'force'> {
  return { steps: remainingSteps(rollout, flag), holdSeconds: rollout.file.flag.hold, fromVersion: flag.version }
}

/** A ramp never lowers the percentage: it starts with the first step that is not lower. */
export function remainingSteps(rollout: Rollout, flag: FlagStatus): number[] {
  const currentPercentage = flag.enabled ? flag.percentage : 0
  return rollout.file.flag.ramp.filter((step) => step >= currentPercentage)
}

export const parseRampParameters = (parameters: Record<string, unknown>): RampParameters =>
  RampParameters.parse(parameters)
