import type { AgentStatus } from '@sti-rollout/agent/contract'
import { type AgentDataSource, listAgentDataSources } from './agentDataSources'
import { AgentError, toAgentError } from './AgentError'
import { getAgentStatus } from './rolloutCalls'
import { type PollingResult, IDLE_POLL_INTERVAL_MS, usePolling } from './usePolling'

/** An environment as its agents answer for it. */
export interface Environment {
  readonly name: string
  readonly production: boolean
  /** The agent that is asked: the first that answered. */
  readonly agent: AgentDataSource
  readonly status: AgentStatus
  /** Every agent that answers for this environment, the asked one first; turning the flag off may go to all of them. */
  readonly all: readonly [AgentDataSource, ...AgentDataSource[]]
}

/** Environments that agents answered for, as long as this page lives: an agent that is away keeps its place. */
const environmentByAgent = new Map<string, string>()

/** The agents that answer, or last answered, or were set up for this environment. */
export function agentsForEnvironment(environment: string, list = listAgentDataSources()): AgentDataSource[] {
  return list.filter((agent) => (environmentByAgent.get(agent.uid) ?? agent.expected) === environment)
}

/** Asks an agent who it is, and remembers its environment. */
export async function identifyAgent(agent: AgentDataSource, signal?: AbortSignal): Promise<AgentStatus> {
  const answer = await getAgentStatus(agent, signal)
  environmentByAgent.set(agent.uid, answer.environment)
  return answer
}

/** The environment of one agent, for a panel that names its agent. */
export async function loadEnvironment(agent: AgentDataSource, signal?: AbortSignal): Promise<Environment> {
  const status = await identifyAgent(agent, signal)
  const others = agentsForEnvironment(status.environment).filter(({ uid }) => uid !== agent.uid)
  return { name: status.environment, production: status.production, agent, status: status, all: [agent, ...others] }
}

/** Finds who answers for an environment: all agents are asked at once, the first right answer wins. */
export async function findEnvironment(name: string, signal?: AbortSignal): Promise<Environment> {
  const list = listAgentDataSources()
  if (list.length === 0) {
    throw new AgentError('No agent is configured: add a data source of type “STI Rollout agent”.', 'grafana', 404)
  }
  const expectedAgents = agentsForEnvironment(name, list)
  const environment =
    (await firstMatchingEnvironment(expectedAgents, name, signal)) ??
    (await firstMatchingEnvironment(list, name, signal))
  if (environment) return environment
  const hint = expectedAgents.length ? ` (${expectedAgents.map((agent) => agent.name).join(', ')} should)` : ''
  throw new AgentError(`No agent answers for the environment ${name}${hint}.`, 'network', 502, 'unreachable')
}

async function firstMatchingEnvironment(
  list: readonly AgentDataSource[],
  name: string,
  signal?: AbortSignal,
): Promise<Environment | null> {
  const candidates = list.map(async (agent) => {
    const environment = await loadEnvironment(agent, signal)
    if (environment.name !== name) throw toAgentError(null, agent.name, 0)
    return environment
  })
  return Promise.any(candidates).catch(() => null)
}

/** The environment of this name, looked after while the page is open. */
export function useEnvironment(name: string): PollingResult<Environment> {
  return usePolling(
    name,
    (signal) => findEnvironment(name, signal),
    () => IDLE_POLL_INTERVAL_MS,
  )
}
