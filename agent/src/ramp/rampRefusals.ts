import { FlagParameters, type FlagStatus } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'

/** The gate of enabling, and what only a ramp needs. */
export function rampRefusals(facts: RolloutFacts, parameters: Record<string, unknown>): string[] {
  const { force } = FlagParameters.parse(parameters)
  // Then the agent that claims it may not have read the flag since: its row says whether somebody has changed it.
  const accepted = parameters['fromVersion'] !== undefined
  const open = facts.openOperations.find((one) => one.kind === 'flag')
  const { flag, baseline, rollout } = facts
  const judgedByBaseline = rollout.file.validation.requires.includes('performance')
  return [
    ...(force ? unforceableRefusals(facts) : enableRefusals(facts)),
    ...(open ? [`Ramp ${open.id} is ${open.state}: resume or cancel it.`] : []),
    ...(accepted ? [] : flagRefusals(flag)),
    ...(judgedByBaseline && baseline === null ? ['There is no baseline to judge its steps by: sti baseline.'] : []),
    ...(judgedByBaseline && baseline !== null && baseline.unusable.length > 0
      ? [
          `Baseline ${baseline.id} may not be judged by: ${baseline.unusable.join('; ')}. Take another one: sti baseline.`,
        ]
      : []),
  ]
}

function flagRefusals({ enabled, percentage, persisted }: FlagStatus): string[] {
  return [
    ...(enabled && percentage >= 100 ? ['The flag is on for 100 %: there is no step left.'] : []),
    ...(persisted ? [] : ['The flag was turned off and that is not written yet: wait until it is.']),
  ]
}
