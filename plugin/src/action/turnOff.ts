import type { Operation } from '@sti-rollout/agent/contract'
import type { Agent } from '../agent/agents'

/**
 * Turns the flag off. The agent that is asked answers from memory; while the database is away, or that agent is, the
 * others cannot know of it, so it goes to each agent of the environment.
 * @throws what the asked agent answered, when no agent took it
 */
export async function turnOff(
  [asked, ...others]: readonly [Agent, ...Agent[]],
  send: (agent: Agent) => Promise<Operation>,
): Promise<Operation> {
  const [first] = await Promise.allSettled([send(asked)])
  if (first.status === 'fulfilled' && first.value.persisted) return first.value
  const rest = await Promise.allSettled(others.map(send))
  const taken = [first, ...rest].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const best = taken.find((operation) => operation.persisted) ?? taken[0]
  if (best) return best
  throw (first as PromiseRejectedResult).reason
}
