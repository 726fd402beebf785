import type { Operation } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from '../agent/agentDataSources'

/**
 * Turns the flag off. The agent that is asked answers from memory; while the database is away, or that agent is, the
 * others cannot know of it, so it goes to each agent of the environment.
 * @throws what the asked agent answered, when no agent took it
 */
export async function turnFlagOff(
  [preferredAgent, ...others]: readonly [AgentDataSource, ...AgentDataSource[]],
  send: (agent: AgentDataSource) => Promise<Operation>,
): Promise<Operation> {
  const [first] = await Promise.allSettled([send(preferredAgent)])
  if (first.status === 'fulfilled' && first.value.persisted) return first.value
  const rest = await Promise.allSettled(others.map(send))
  const accepted = [first, ...rest].flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const persisted = accepted.find((operation) => operation.persisted) ?? accepted[0]
  if (persisted) return persisted
  throw (first as PromiseRejectedResult).reason
}
