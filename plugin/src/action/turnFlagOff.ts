import type { Operation } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from '../agent/agentDataSources'

/**
 * Turns the flag off. The preferred agent acts from memory. If its database or the agent itself is unavailable, the other
 * agents cannot learn about the change, so the request goes to every agent of the environment.
 * @throws the error of the preferred agent if no agent accepted the request
 */
export async function turnFlagOff(
  [preferredAgent, ...others]: readonly [AgentDataSource, ...AgentDataSource[]],
  send: (agent: AgentDataSource) => Promise<Operation>,
): Promise<Operation> {
  const [first] = await Promise.allSettled([send(preferredAgent)])
  if (first.status === 'fulfilled' && first.value.persisted) return first.value
  const otherResults = await Promise.allSettled(others.map(send))
  const accepted = [first, ...otherResults].flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const persisted = accepted.find((operation) => operation.persisted) ?? accepted[0]
  if (persisted) return persisted
  throw (first as PromiseRejectedResult).reason
}
