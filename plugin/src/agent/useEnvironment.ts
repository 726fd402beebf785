import type { AgentStatus } from '@sti-rollout/agent/contract'
import { type AgentDataSource, listAgentDataSources } from './agentDataSources'
import { AgentError, toAgentError } from './AgentError'
import { getAgentStatus } from './rolloutCalls'
import { ACTIVE_POLL_INTERVAL_MS, type PollingResult, SLOW_POLL_INTERVAL_MS, usePolling } from './usePolling'

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

/** What agents reported since the page was loaded, so that an unavailable agent keeps its place. */
const identityByAgent = new Map<string, Pick<AgentStatus, 'environment' | 'database'>>()

/** The agents that last reported this environment, or are configured for it. */
export function agentsForEnvironment(environment: string, list = listAgentDataSources()): AgentDataSource[] {
  return list.filter((agent) => (identityByAgent.get(agent.uid)?.environment ?? agent.expected) === environment)
}

/** The databases that report this environment: several in a fleet whose members have the same environment. */
function databasesOf(environment: string): Set<string> {
  const databases = [...identityByAgent.values()].filter((identity) => identity.environment === environment)
  return new Set(databases.flatMap(({ database }) => database ?? []))
}

/** True if several databases report this environment, so that a metric of the environment may be of another one. */
export const hasSeveralDatabases = (environment: string): boolean => databasesOf(environment).size > 1

/** What names an environment in a URL: its name, and the data source if several databases have that name. */
export const environmentPlace = ({ name, agent }: { name: string; agent: AgentDataSource }): string =>
  databasesOf(name).size > 1 ? `${name}@${agent.uid}` : name

/** Loads the status of an agent and remembers its environment and its database. */
export async function identifyAgent(agent: AgentDataSource, signal?: AbortSignal): Promise<AgentStatus> {
  const status = await getAgentStatus(agent, signal)
  identityByAgent.set(agent.uid, status)
  return status
}

/** The environment of one agent. */
export async function loadEnvironment(agent: AgentDataSource, signal?: AbortSignal): Promise<Environment> {
  return toEnvironment(agent, await identifyAgent(agent, signal))
}

function toEnvironment(agent: AgentDataSource, status: AgentStatus): Environment {
  const { environment: name, production } = status
  const isOnlyDatabase = databasesOf(name).size <= 1
  // An agent that has not reported its database yet belongs to the only one.
  const others = agentsForEnvironment(name).filter(({ uid }) => {
    const database = identityByAgent.get(uid)?.database ?? null
    return uid !== agent.uid && (database === null ? isOnlyDatabase : database === status.database)
  })
  return { name, production, agent, status, all: [agent, ...others] }
}

/**
 * Finds the agents of an environment: all agents get the request at the same time, and the first match is used. `place` is
 * the name of the environment, with the data source behind `@` if several databases have that name.
 */
export async function findEnvironment(place: string, signal?: AbortSignal): Promise<Environment> {
  const list = listAgentDataSources()
  if (list.length === 0) {
    throw new AgentError('No agent is configured. Add a data source of type “STI Rollout agent”.', 'grafana', 404)
  }
  const [name = '', uid] = place.split('@')
  if (uid !== undefined) return await findDatabase(name, uid, list, signal)
  const expectedAgents = agentsForEnvironment(name, list)
  const environment =
    (await firstMatchingEnvironment(expectedAgents, name, signal)) ??
    (await firstMatchingEnvironment(list, name, signal))
  if (environment && databasesOf(name).size > 1) {
    const names = agentsForEnvironment(name, list).map((agent) => agent.name)
    throw new AgentError(
      `${databasesOf(name).size} databases have the environment ${name} (${names.join(', ')}). Open the one that you mean from the page Rollouts.`,
      'grafana',
      409,
      'several-databases',
    )
  }
  if (environment) return environment
  const hint = expectedAgents.length ? ` (expected: ${expectedAgents.map((agent) => agent.name).join(', ')})` : ''
  throw new AgentError(`No agent responds for the environment ${name}${hint}.`, 'network', 502, 'unreachable')
}

/** The environment of one of several databases with its name; another agent of the same database may respond instead. */
async function findDatabase(
  name: string,
  uid: string,
  list: readonly AgentDataSource[],
  signal?: AbortSignal,
): Promise<Environment> {
  const agent = list.find((candidate) => candidate.uid === uid)
  if (!agent)
    throw new AgentError(`No data source has the uid ${uid}. Open the rollout from the page Rollouts.`, 'grafana', 404)
  try {
    return await loadEnvironment(agent, signal)
  } catch (error) {
    const database = identityByAgent.get(uid)?.database ?? null
    const others = list.filter(
      (other) => other.uid !== uid && database !== null && identityByAgent.get(other.uid)?.database === database,
    )
    const environment = await firstMatchingEnvironment(others, name, signal)
    if (environment) return environment
    throw error
  }
}

/** How long other agents have, after the first one, to report another database with the same name. */
const IDENTIFY_TIMEOUT_MS = 1_000

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
  const first = await Promise.any(candidates).catch(() => null)
  if (first === null || list.every(({ uid }) => identityByAgent.has(uid))) return first
  await Promise.race([Promise.allSettled(candidates), new Promise((done) => setTimeout(done, IDENTIFY_TIMEOUT_MS))])
  return toEnvironment(first.agent, first.status)
}

/**
 * The environment with this name, polled while the page is open. Which agents serve it, and what this person may do, rarely
 * change; a page looks again when a request fails.
 */
export function useEnvironment(name: string): PollingResult<Environment> {
  return usePolling(
    name,
    (signal) => findEnvironment(name, signal),
    (environment) => (environment === null ? ACTIVE_POLL_INTERVAL_MS : SLOW_POLL_INTERVAL_MS),
  )
}
