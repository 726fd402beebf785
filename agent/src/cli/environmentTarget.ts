import { CONTRACT_VERSION, type AgentStatus, type RolloutSummary } from '../contract/index.ts'
import { AgentUnreachableError, createAgentClient, type AgentClient } from './agentClient.ts'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import type { CliSettings } from './cliSettings.ts'

/** One environment: its agents in the order of the configuration, the one that answers first in front. */
export interface EnvironmentTarget {
  readonly environment: string
  readonly status: AgentStatus
  readonly agent: AgentClient
  readonly agents: readonly AgentClient[]
}

/** Options that choose what a command acts on. */
export interface TargetOptions {
  readonly environment?: string
  readonly rollout?: string
}

/** The environment that `--environment` names, or the only one there is. */
export async function selectTarget(settings: CliSettings, options: TargetOptions): Promise<EnvironmentTarget> {
  const names = [...settings.environments.keys()]
  const name = settings.environments.has('') ? '' : (options.environment ?? (names.length === 1 ? names[0] : undefined))
  if (name === undefined) throw usageError(`Say which environment: --environment ${names.join(' or ')}.`)
  const addresses = settings.environments.get(name)
  if (!addresses) throw usageError(`No agent of environment ${name} is configured; there are: ${names.join(', ')}.`)
  return connectTarget(addresses.map(createAgentClient), name || options.environment)
}

/** Asks the agents in order until one answers; refuses one of another environment or another contract. */
export async function connectTarget(
  agents: readonly AgentClient[],
  expected: string | undefined,
): Promise<EnvironmentTarget> {
  let unreachable: AgentUnreachableError | undefined
  for (const agent of agents) {
    try {
      const status = await agent.status()
      requireCompatibleAgent(agent, status, expected)
      const others = agents.filter((other) => other !== agent)
      return { environment: status.environment, status, agent, agents: [agent, ...others] }
    } catch (error) {
      if (!(error instanceof AgentUnreachableError)) throw error
      unreachable ??= error
    }
  }
  throw unreachable ?? usageError('No agent is configured.')
}

function requireCompatibleAgent(agent: AgentClient, status: AgentStatus, expected: string | undefined): void {
  if (expected !== undefined && status.environment !== expected) {
    throw new CliError(
      ExitCode.refused,
      'wrong-environment',
      `The agent at ${agent.url} serves environment ${status.environment}, not ${expected}: nothing was done.`,
    )
  }
  if (status.contract.split('.')[0] !== CONTRACT_VERSION.split('.')[0]) {
    throw new CliError(
      ExitCode.refused,
      'other-contract',
      `The agent at ${agent.url} speaks contract ${status.contract}, this command ${CONTRACT_VERSION}: use the ` +
        `command of the agent's version (${status.version}).`,
    )
  }
}

/** The rollout that `--rollout` names, or the only one the agent has. */
export async function selectRollout(target: EnvironmentTarget, name: string | undefined): Promise<RolloutSummary> {
  const rollouts = await target.agent.rollouts()
  const names = rollouts.map((rollout) => rollout.rollout)
  if (name !== undefined) {
    const match = rollouts.find((rollout) => rollout.rollout === name)
    if (!match)
      throw usageError(`There is no rollout ${name} in ${target.environment}; there are: ${joinNames(names)}.`)
    return match
  }
  const [only, second] = rollouts
  if (!only) throw usageError(`The agent of ${target.environment} has no rollout: put a file into its rollout folder.`)
  if (second) throw usageError(`Say which rollout: --rollout ${names.join(' or ')}.`)
  return only
}

/** The same by name alone, as the agent knows it also while its database is away: turning off needs no more. */
export function selectRolloutName({ status, environment }: EnvironmentTarget, name: string | undefined): string {
  const names = status.rollouts
  if (name !== undefined) return name
  const [only, second] = names
  if (only === undefined)
    throw usageError(`The agent of ${environment} has no rollout: put a file into its rollout folder.`)
  if (second !== undefined) throw usageError(`Say which rollout: --rollout ${names.join(' or ')}.`)
  return only
}

const joinNames = (names: readonly string[]): string => names.join(', ') || 'none'
