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

export function rampFrom(rollout: Rollout, flag: FlagStatus): Omit<RampParameters, 'force'> {
  return { steps: stepsFrom(rollout, flag), holdSeconds: rollout.file.flag.hold, fromVersion: flag.version }
}

/** A ramp never lowers the percentage: it begins with the first step that is no lower. */
export function stepsFrom(rollout: Rollout, flag: FlagStatus): number[] {
  const from = flag.enabled ? flag.percentage : 0
  return rollout.file.flag.ramp.filter((step) => step >= from)
}

export const rampParameters = (parameters: Record<string, unknown>): RampParameters => RampParameters.parse(parameters)
