import type { AgentStatus, RolloutSummary } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from '../agent/agentDataSources'
import type { AgentError } from '../agent/AgentError'

/** What is known about one agent. */
export interface AgentRollouts {
  readonly agent: AgentDataSource
  /** Its latest answer; null: it has not answered since the page was loaded. */
  readonly answer: { readonly status: AgentStatus; readonly list: readonly RolloutSummary[] } | null
  /** Why the latest request failed; null: it did not fail. */
  readonly error: AgentError | null
  readonly failingSince: Date | null
}

/** One rollout in one database; several agents of the database report the same. */
export interface RolloutRow {
  readonly environment: string
  readonly production: boolean
  readonly status: AgentStatus
  readonly summary: RolloutSummary
  /** The agents of the database; those that answer come first. */
  readonly agents: readonly [AgentDataSource, ...AgentDataSource[]]
  /** Why none of its agents answers now; null: one does. */
  readonly error: AgentError | null
  readonly failingSince: Date | null
}

/** One rollout, as one agent reports it. */
interface Report extends Pick<AgentRollouts, 'agent' | 'error' | 'failingSince'> {
  readonly status: AgentStatus
  readonly summary: RolloutSummary
}

/** The rows of all agents, merged by database and rollout. */
export function mergeRollouts(agents: readonly AgentRollouts[]): RolloutRow[] {
  const reports = new Map<string, [Report, ...Report[]]>()
  for (const { agent, answer, error, failingSince } of agents) {
    if (answer === null) continue
    const { status, list } = answer
    for (const summary of list) {
      const key = JSON.stringify([status.environment, databaseOf(status, agents), summary.rollout])
      const report = { agent, error, failingSince, status, summary }
      const known = reports.get(key)
      if (known) known.push(report)
      else reports.set(key, [report])
    }
  }
  return [...reports.values()].map((ofDatabase) => toRow(ofDatabase, agents))
}

/** The newest answer of an agent that answers wins. */
function toRow(reports: [Report, ...Report[]], agents: readonly AgentRollouts[]): RolloutRow {
  const sorted = reports.sort(
    (a, b) => Number(a.error !== null) - Number(b.error !== null) || b.summary.at.localeCompare(a.summary.at),
  )
  const [{ status, summary, error, failingSince, agent }, ...others] = sorted
  const { environment, production } = status
  const silent = unansweredAgents(agents).filter((other) => onlyDatabaseOf(other, agents) === environment)
  return {
    environment,
    production,
    status,
    summary,
    agents: [agent, ...[...others, ...silent].map((other) => other.agent)],
    error,
    failingSince,
  }
}

/** The agents that have not answered since the page was loaded: it is not known which rollouts they have. */
export const unansweredAgents = (agents: readonly AgentRollouts[]): AgentRollouts[] =>
  agents.filter(({ answer, error }) => answer === null && error !== null)

/** The environment of an agent that has not answered, if one database alone has it: the agent is another one of it. */
export function onlyDatabaseOf({ agent }: AgentRollouts, agents: readonly AgentRollouts[]): string | null {
  const environment = agent.expected
  return environment !== null && databasesOf(environment, agents).length === 1 ? environment : null
}

/** An agent that has not reached its database yet has that of the only other one with its environment. */
function databaseOf({ environment, database }: AgentStatus, agents: readonly AgentRollouts[]): string {
  const known = databasesOf(environment, agents)
  return database ?? (known.length === 1 ? known[0]! : '')
}

/** The databases that the agents of an environment report; empty text: one that has not been reached. */
function databasesOf(environment: string, agents: readonly AgentRollouts[]): string[] {
  const statuses = agents.flatMap(({ answer }) => (answer?.status.environment === environment ? [answer.status] : []))
  const known = new Set(statuses.flatMap(({ database }) => database ?? []))
  return known.size > 0 || statuses.length === 0 ? [...known] : ['']
}
