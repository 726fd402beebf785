import type { AgentStatus } from '@sti-rollout/agent/contract'
import { type Agent, agents } from './agents'
import { AgentError, toAgentError } from './AgentError'
import { status } from './calls'
import { type Polled, QUIET_MS, usePolled } from './usePolled'

/** An environment as its agents answer for it. */
export interface Environment {
  readonly name: string
  readonly production: boolean
  /** The agent that is asked: the first that answered. */
  readonly agent: Agent
  readonly status: AgentStatus
  /** Every agent that answers for this environment, the asked one first; turning the flag off may go to all of them. */
  readonly all: readonly [Agent, ...Agent[]]
}

/** Environments that agents answered for, as long as this page lives: an agent that is away keeps its place. */
const answered = new Map<string, string>()

/** The agents that answer, or last answered, or were set up for this environment. */
export function agentsOf(environment: string, list = agents()): Agent[] {
  return list.filter((agent) => (answered.get(agent.uid) ?? agent.expected) === environment)
}

/** Asks an agent who it is, and remembers its environment. */
export async function identify(agent: Agent, signal?: AbortSignal): Promise<AgentStatus> {
  const answer = await status(agent, signal)
  answered.set(agent.uid, answer.environment)
  return answer
}

/** The environment of one agent, for a panel that names its agent. */
export async function environmentOf(agent: Agent, signal?: AbortSignal): Promise<Environment> {
  const own = await identify(agent, signal)
  const others = agentsOf(own.environment).filter(({ uid }) => uid !== agent.uid)
  return { name: own.environment, production: own.production, agent, status: own, all: [agent, ...others] }
}

/** Finds who answers for an environment: all agents are asked at once, the first right answer wins. */
export async function findEnvironment(name: string, signal?: AbortSignal): Promise<Environment> {
  const list = agents()
  if (list.length === 0) {
    throw new AgentError('No agent is configured: add a data source of type “STI Rollout agent”.', 'grafana', 404)
  }
  const likely = agentsOf(name, list)
  const found = (await firstOf(likely, name, signal)) ?? (await firstOf(list, name, signal))
  if (found) return found
  const why = likely.length ? ` (${likely.map((agent) => agent.name).join(', ')} should)` : ''
  throw new AgentError(`No agent answers for the environment ${name}${why}.`, 'network', 502, 'unreachable')
}

async function firstOf(list: readonly Agent[], name: string, signal?: AbortSignal): Promise<Environment | null> {
  const asked = list.map(async (agent) => {
    const environment = await environmentOf(agent, signal)
    if (environment.name !== name) throw toAgentError(null, agent.name, 0)
    return environment
  })
  return Promise.any(asked).catch(() => null)
}

/** The environment of this name, looked after while the page is open. */
export function useEnvironment(name: string): Polled<Environment> {
  return usePolled(
    name,
    (signal) => findEnvironment(name, signal),
    () => QUIET_MS,
  )
}
