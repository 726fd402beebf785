import type { AccessLevel, AgentStatus } from '@sti-rollout/agent/contract'
import { AgentError, toAgentError } from '../agent/AgentError'
import type { AgentDataSource } from '../agent/agentDataSources'
import { userLevel } from '../agent/userLevel'
import { getAgentStatus } from '../agent/rolloutCalls'

/** The major version of the contract that this plugin supports. */
const CONTRACT_MAJOR = '1'

export interface ConnectionStep {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'broken' | 'unknown'
  readonly detail: string
}

export interface ConnectionHealth {
  readonly healthy: boolean
  /** That the connection works, or each step that failed. */
  readonly summary: string
  readonly steps: readonly ConnectionStep[]
  readonly status: AgentStatus | null
}

const LEVELS = ['viewer', 'editor', 'admin'] as const

/** Checks every step from Grafana to the database, and reports each that fails. */
export async function checkAgentConnection(agent: AgentDataSource, signal?: AbortSignal): Promise<ConnectionHealth> {
  const levels = LEVELS.slice(0, LEVELS.indexOf(userLevel()) + 1)
  const answers = await Promise.all(
    levels.map((level) =>
      getAgentStatus(agent, signal, level).catch((thrown: unknown) => toAgentError(thrown, agent.name, 0)),
    ),
  )
  const unreachable = answers.find((answer) => answer instanceof AgentError && answer.hop === 'network')
  if (unreachable instanceof AgentError) {
    return toHealth(
      [brokenStep('Grafana → agent', unreachable.message), unknownStep('Tokens'), unknownStep('Agent → PostgreSQL')],
      null,
    )
  }
  const tokens = levels.map((level, index) => tokenStep(level, answers[index]))
  const statuses = answers.filter((answer): answer is AgentStatus => !(answer instanceof AgentError))
  const status = statuses.at(-1) ?? null
  const agentStep: ConnectionStep = {
    name: 'Grafana → agent',
    state: 'ok',
    detail: status ? `${status.agent} ${status.version}` : 'reachable',
  }
  if (!status) return toHealth([agentStep, ...tokens, unknownStep('Agent → PostgreSQL')], null)
  return toHealth(
    [
      agentStep,
      ...tokens,
      contractStep(status),
      environmentStep(agent, status),
      ...dependencySteps(status),
      permissionStep(status),
    ],
    status,
  )
}

/** The step of one token. The agent answers with the lower level of token and person, and nobody tests a level above theirs. */
export function tokenStep(level: AccessLevel, answer: AgentStatus | AgentError | undefined): ConnectionStep {
  const name = `Token for ${level}s`
  if (!(answer instanceof AgentError)) {
    const actual = answer?.you.mayAct ? answer.you.level : level
    if (actual === level) return { name, state: 'ok', detail: 'accepted' }
    return brokenStep(
      name,
      `This is the agent’s token for ${actual}s. Enter its token for ${level}s; two tokens may be swapped.`,
    )
  }
  if (answer.hop === 'grafana') return brokenStep(name, answer.message)
  const refused = answer.hop === 'token' || answer.status === 403
  return brokenStep(
    name,
    refused
      ? `The agent refused it. Set the agent’s token for ${level}s in its data source. ${answer.message}`
      : answer.message,
  )
}

function contractStep({ contract }: AgentStatus): ConnectionStep {
  const name = 'Contract'
  if (contract.split('.')[0] === CONTRACT_MAJOR) return { name, state: 'ok', detail: `version ${contract}` }
  return brokenStep(name, `The agent uses version ${contract}, this plugin ${CONTRACT_MAJOR}.x. Upgrade the older one.`)
}

function environmentStep(agent: AgentDataSource, status: AgentStatus): ConnectionStep {
  const name = 'Environment'
  if (status.foreignState) return brokenStep(name, status.foreignState)
  if (agent.expected && agent.expected !== status.environment) {
    return brokenStep(
      name,
      `The agent reports ${status.environment}, but this data source is configured for ${agent.expected}. Check its URL.`,
    )
  }
  return { name, state: 'ok', detail: status.production ? `${status.environment} (production)` : status.environment }
}

const DEPENDENCY_STEP_NAMES = {
  postgresql: 'Agent → PostgreSQL',
  prometheus: 'Agent → Prometheus',
  'grafana-keys': 'Agent → Grafana signing keys',
  api: 'Agent → application',
} as const

/** The agent requires PostgreSQL; a failure of another dependency is a warning. */
function dependencySteps({ dependencies }: AgentStatus): ConnectionStep[] {
  return dependencies.map(({ name, healthy, detail }) => ({
    name: DEPENDENCY_STEP_NAMES[name] ?? name,
    state: healthy ? 'ok' : name === 'postgresql' ? 'broken' : 'warning',
    detail,
  }))
}

function permissionStep({ you }: AgentStatus): ConnectionStep {
  const name = 'Your permissions'
  if (you.level === 'viewer') return { name, state: 'ok', detail: 'viewer: read only' }
  if (you.mayAct) return { name, state: 'ok', detail: `${you.level}, as ${you.name}` }
  return { name, state: 'warning', detail: you.why ?? 'The agent only allows you to read.' }
}

function toHealth(steps: ConnectionStep[], status: AgentStatus | null): ConnectionHealth {
  const failures = describeFailures(steps)
  if (failures !== '') return { healthy: false, summary: failures, steps, status }
  const warning = steps.find(({ state }) => state === 'warning')
  const summary = status
    ? `${status.agent} is connected to PostgreSQL and serves ${status.environment}.`
    : 'The agent is reachable.'
  return {
    healthy: true,
    summary: warning ? `${summary} Warning: ${warning.name}: ${warning.detail}` : summary,
    steps,
    status,
  }
}

/** Each step that failed, with its reason; empty if none did. */
export const describeFailures = (steps: readonly ConnectionStep[]): string =>
  steps
    .filter(({ state }) => state === 'broken')
    .map(({ name, detail }) => `${name}: ${detail.replace(/\.$/, '')}.`)
    .join(' ')

const brokenStep = (name: string, detail: string): ConnectionStep => ({ name, state: 'broken', detail })
const unknownStep = (name: string): ConnectionStep => ({ name, state: 'unknown', detail: 'not checked' })
