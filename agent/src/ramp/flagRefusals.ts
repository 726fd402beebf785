import { FlagParameters, type FlagStatus } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'

/** Why the flag cannot change as requested. Turning it off is never refused. */
export function flagRefusals(facts: RolloutFacts, parameters: Record<string, unknown>): string[] {
  const { enabled, force, ramp } = FlagParameters.parse(parameters)
  if (!enabled) return []
  const prerequisites = force ? unforceableRefusals(facts) : enableRefusals(facts)
  return ramp ? [...prerequisites, ...rampRefusals(facts, parameters)] : prerequisites
}

function rampRefusals({ openOperations, flag, baseline, rollout }: RolloutFacts, parameters: Record<string, unknown>) {
  // Once accepted, the row of the flag shows if someone has changed it: the agent that claims the ramp may have read
  // the flag before that.
  const accepted = parameters['fromVersion'] !== undefined
  const openRamp = openOperations.find(({ kind }) => kind === 'flag')
  const requiresBaseline = rollout.file.validation.requires.includes('performance')
  return [
    ...(openRamp ? [`Ramp ${openRamp.id} is ${openRamp.state}: resume or cancel it.`] : []),
    ...(accepted ? [] : servedFlagRefusals(flag)),
    ...(requiresBaseline && baseline === null
      ? ['The steps need a baseline to compare with. Take one (sti baseline).']
      : []),
    ...(requiresBaseline && baseline !== null && baseline.unusable.length > 0
      ? [`Baseline ${baseline.id} cannot be used: ${baseline.unusable.join('; ')}. Take a new one (sti baseline).`]
      : []),
  ]
}

function servedFlagRefusals({ enabled, percentage, persisted }: FlagStatus): string[] {
  return [
    ...(enabled && percentage >= 100 ? ['The flag is on for 100%: no step is left.'] : []),
    ...(persisted ? [] : ['The flag was turned off, and the database has not recorded it yet: wait until it has.']),
  ]
}
