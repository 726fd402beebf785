import type { AgentStatus } from '@sti-rollout/agent/contract'
import { AgentError, toAgentError } from '../agent/AgentError'
import type { Agent } from '../agent/agents'
import { ownLevel } from '../agent/level'
import { request } from '../agent/request'

/** The major version of the contract this plug-in speaks. */
const CONTRACT_MAJOR = '1'

export interface Hop {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'broken' | 'unknown'
  readonly detail: string
}

export interface Health {
  readonly healthy: boolean
  /** One sentence: all is well, or the first hop that failed. */
  readonly summary: string
  readonly hops: readonly Hop[]
  readonly status: AgentStatus | null
}

const LEVELS = ['viewer', 'editor', 'admin'] as const

/** Walks the way of a click, from Grafana to the database, and names the hop that fails. */
export async function health(agent: Agent, signal?: AbortSignal): Promise<Health> {
  const own = LEVELS.slice(0, LEVELS.indexOf(ownLevel()) + 1)
  const answers = await Promise.all(
    own.map((level) =>
      request<AgentStatus>(agent, { level, path: '/v1/agent', signal }).catch((thrown: unknown) =>
        toAgentError(thrown, agent.name, 0),
      ),
    ),
  )
  const unreachable = answers.find((answer) => answer instanceof AgentError && answer.hop === 'network')
  if (unreachable instanceof AgentError) {
    return result(
      [broken('Grafana → agent', unreachable.message), unknown('Tokens'), unknown('Agent → PostgreSQL')],
      null,
    )
  }
  const tokens = own.map((level, index) => token(level, answers[index]))
  const statuses = answers.filter((answer): answer is AgentStatus => !(answer instanceof AgentError))
  const status = statuses.at(-1) ?? null
  const reached: Hop = {
    name: 'Grafana → agent',
    state: 'ok',
    detail: status ? `${status.agent} ${status.version}` : 'answers',
  }
  if (!status) return result([reached, ...tokens, unknown('Agent → PostgreSQL')], null)
  return result(
    [reached, ...tokens, contract(status), environment(agent, status), ...dependencies(status), acting(status)],
    status,
  )
}

function token(level: string, answer: AgentStatus | AgentError | undefined): Hop {
  const name = `Token for ${level}s`
  if (!(answer instanceof AgentError)) return { name, state: 'ok', detail: 'accepted' }
  if (answer.hop === 'grafana') return broken(name, answer.message)
  const refused = answer.hop === 'token' || answer.status === 403
  return broken(
    name,
    refused ? `Refused: set the agent’s token for ${level}s in its data source. ${answer.message}` : answer.message,
  )
}

function contract({ contract }: AgentStatus): Hop {
  const name = 'Contract'
  if (contract.split('.')[0] === CONTRACT_MAJOR) return { name, state: 'ok', detail: `version ${contract}` }
  return broken(name, `The agent speaks version ${contract}, this plug-in ${CONTRACT_MAJOR}.x: upgrade the older one.`)
}

function environment(agent: Agent, status: AgentStatus): Hop {
  const name = 'Environment'
  if (status.foreignState) return broken(name, status.foreignState)
  if (agent.expected && agent.expected !== status.environment) {
    return broken(
      name,
      `The agent answers ${status.environment}, but this data source is meant for ${agent.expected}: check its URL.`,
    )
  }
  return { name, state: 'ok', detail: status.production ? `${status.environment} (production)` : status.environment }
}

const NAMES = {
  postgresql: 'Agent → PostgreSQL',
  prometheus: 'Agent → Prometheus',
  'grafana-keys': 'Agent → Grafana’s keys',
  api: 'Agent → application',
} as const

/** Without PostgreSQL nothing works; without the others something is missing, and the agent says what. */
function dependencies({ dependencies }: AgentStatus): Hop[] {
  return dependencies.map(({ name, healthy, detail }) => ({
    name: NAMES[name] ?? name,
    state: healthy ? 'ok' : name === 'postgresql' ? 'broken' : 'warning',
    detail,
  }))
}

function acting({ you }: AgentStatus): Hop {
  const name = 'You may act'
  if (you.level === 'viewer') return { name, state: 'ok', detail: 'no: viewers read' }
  if (you.mayAct) return { name, state: 'ok', detail: `as ${you.name}, ${you.level}` }
  return { name, state: 'warning', detail: you.why ?? 'The agent lets you read only.' }
}

function result(hops: Hop[], status: AgentStatus | null): Health {
  const first = hops.find((hop) => hop.state === 'broken')
  if (first) return { healthy: false, summary: `${first.name}: ${first.detail}`, hops, status }
  const weak = hops.find((hop) => hop.state === 'warning')
  const fine = status
    ? `${status.agent} answers for ${status.environment}, and PostgreSQL for it.`
    : 'The agent answers.'
  return { healthy: true, summary: weak ? `${fine} But ${weak.name}: ${weak.detail}` : fine, hops, status }
}

const broken = (name: string, detail: string): Hop => ({ name, state: 'broken', detail })
const unknown = (name: string): Hop => ({ name, state: 'unknown', detail: 'not reached' })
