import { FlagParameters, type FlagStatus } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'
import { readHoldback } from './holdback.ts'

/** Why the flag cannot change as requested. Turning it off is never refused. */
export function flagRefusals(facts: RolloutFacts, parameters: Record<string, unknown>): string[] {
  const { enabled, force, ramp } = FlagParameters.parse(parameters)
  // Without a percentage, the question is whether the flag can be turned on at all.
  const percentage = Number(parameters['percentage'] ?? 0)
  if (!enabled) return []
  const prerequisites = force ? unforceableRefusals(facts) : enableRefusals(facts)
  return ramp
    ? [...prerequisites, ...rampRefusals(facts, parameters)]
    : [...prerequisites, ...(force ? [] : holdbackRefusals(facts, percentage))]
}

/** A person who sets the percentage directly may not remove the control group before the flag has soaked. */
function holdbackRefusals({ rollout, flag }: Pick<RolloutFacts, 'rollout' | 'flag'>, percentage: number): string[] {
  const { maximum, until } = readHoldback(rollout, flag, Date.now())
  if (percentage <= maximum) return []
  const { holdback } = rollout.file.flag
  const wait =
    until === null
      ? `Set the flag to ${maximum}%, and to 100% after the soak time of ${formatDuration(rollout.file.soak)}`
      : `Set the flag to 100% after ${new Date(until).toISOString()}`
  return [
    `flag.holdback keeps ${holdback}% of the keys on legacy columns as a control group until the flag has soaked. ${wait}, or set flag.holdback to 0 in the rollout file.`,
  ]
}

function rampRefusals({ openOperations, flag, baseline, rollout }: RolloutFacts, parameters: Record<string, unknown>) {
  // Once accepted, the row of the flag shows if someone has changed it: the agent that claims the ramp may have read
  // the flag before that.
  const accepted = parameters['fromVersion'] !== undefined
  const openRamp = openOperations.find(({ kind }) => kind === 'flag')
  const { until } = readHoldback(rollout, flag, Date.now())
  const requiresBaseline = rollout.file.validation.requires.includes('performance')
  return [
    ...(openRamp ? [`Ramp ${openRamp.id} is ${openRamp.state}: resume or cancel it.`] : []),
    ...(accepted ? [] : servedFlagRefusals(flag)),
    ...(accepted || until === null ? [] : holdbackRefusals({ rollout, flag }, 100)),
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
