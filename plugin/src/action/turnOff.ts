import type { Operation, OperationRequest } from '@sti-rollout/agent/contract'
import { start } from '../agent/calls'
import { QUESTION_MS } from '../agent/request'
import type { Environment } from '../agent/useEnvironment'

/**
 * Turns the flag off. The agent that is asked answers from memory; while the database is away, or that agent is, the
 * others cannot know of it, so it goes to each agent of the environment.
 * @throws AgentError of the asked agent when no agent took it
 */
export async function turnOff(
  environment: Environment,
  rollout: string,
  wanted: OperationRequest,
  key: string,
): Promise<Operation> {
  const send = (agent: Environment['agent']) => start(agent, rollout, wanted, key, QUESTION_MS)
  const first = await send(environment.agent).catch((error: unknown) => ({ failed: error }))
  if (!('failed' in first) && first.persisted) return first
  const others = await Promise.allSettled(environment.all.slice(1).map(send))
  const taken = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []))
  const best = taken.find((operation) => operation.persisted) ?? ('failed' in first ? taken[0] : first)
  if (best) return best
  throw (first as { failed: unknown }).failed
}
