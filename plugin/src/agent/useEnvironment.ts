import type { AgentStatus } from '@sti-rollout/agent/contract'
import { type AgentDataSource, listAgentDataSources } from './agentDataSources'
import { AgentError, toAgentError } from './AgentError'
import { getAgentStatus } from './rolloutCalls'
import { ACTIVE_POLL_INTERVAL_MS, type PollingResult, usePolling } from './usePolling'

/** An environment as its agents report it. */
export interface Environment {
  readonly name: string
  readonly production: boolean
  /** The agent that gets the requests: the first that responded. */
  readonly agent: AgentDataSource
  readonly status: AgentStatus
  /** Every agent of this environment, `agent` first; a request to turn the flag off may go to all of them. */
  readonly all: readonly [AgentDataSource, ...AgentDataSource[]]
}

/** The environments that agents reported since the page was loaded, so that an unavailable agent keeps its place. */
const environmentByAgent = new Map<string, string>()

/** The agents that last reported this environment, or are configured for it. */
export function agentsForEnvironment(environment: string, list = listAgentDataSources()): AgentDataSource[] {
  return list.filter((agent) => (environmentByAgent.get(agent.uid) ?? agent.expected) === environment)
}

/** Loads the status of an agent and remembers its environment. */
export async function identifyAgent(agent: AgentDataSource, signal?: AbortSignal): Promise<AgentStatus> {
  const status = await getAgentStatus(agent, signal)
  environmentByAgent.set(agent.uid, status.environment)
  return status
}

/** The environment of one agent. */
export async function loadEnvironment(agent: AgentDataSource, signal?: AbortSignal): Promise<Environment> {
  const status = await identifyAgent(agent, signal)
  const others = agentsForEnvironment(status.environment).filter(({ uid }) => uid !== agent.uid)
  return { name: status.environment, production: status.production, agent, status, all: [agent, ...others] }
}

/** Finds the agents of an environment: all agents get the request at the same time, and the first match is used. */
export async function findEnvironment(name: string, signal?: AbortSignal): Promise<Environment> {
  const list = listAgentDataSources()
  if (list.length === 0) {
    throw new AgentError('No agent is configured. Add a data source of type “STI Rollout agent”.', 'grafana', 404)
  }
  const expectedAgents = agentsForEnvironment(name, list)
  const environment =
    (await firstMatchingEnvironment(expectedAgents, name, signal)) ??
    (await firstMatchingEnvironment(list, name, signal))
  if (environment) return environment
  const hint = expectedAgents.length ? ` (expected: ${expectedAgents.map((agent) => agent.name).join(', ')})` : ''
  throw new AgentError(`No agent responds for the environment ${name}${hint}.`, 'network', 502, 'unreachable')
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

/** Which agents serve an environment, and what this person may do, rarely change; a page looks again when a request fails. */
const STATUS_POLL_INTERVAL_MS = 60_000

/** The environment with this name, polled while the page is open. */
export function useEnvironment(name: string): PollingResult<Environment> {
  return usePolling(
    name,
    (signal) => findEnvironment(name, signal),
    (environment) => (environment === null ? ACTIVE_POLL_INTERVAL_MS : STATUS_POLL_INTERVAL_MS),
  )
}
