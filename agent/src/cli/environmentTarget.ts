import { CONTRACT_VERSION, type AgentStatus, type RolloutSummary } from '../contract/index.ts'
import { AgentUnreachableError, createAgentClient, type AgentClient } from './agentClient.ts'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import type { CliSettings } from './cliSettings.ts'

/** One environment with its agents: `agent` is the first that responded, and `agents` starts with it. */
export interface EnvironmentTarget {
  readonly environment: string
  readonly status: AgentStatus
  readonly agent: AgentClient
  readonly agents: readonly AgentClient[]
}

export interface TargetOptions {
  readonly environment?: string
  readonly rollout?: string
}

/** Connects to the environment of `--environment`, or to the only configured environment. */
export async function selectTarget(settings: CliSettings, options: TargetOptions): Promise<EnvironmentTarget> {
  const names = [...settings.environments.keys()]
  const name = settings.environments.has('') ? '' : (options.environment ?? (names.length === 1 ? names[0] : undefined))
  if (name === undefined) throw usageError(`Select an environment: --environment ${names.join(' or ')}.`)
  const addresses = settings.environments.get(name)
  if (!addresses) throw unknownEnvironmentError(name, names)
  return connectTarget(addresses.map(createAgentClient), name || options.environment)
}

export const unknownEnvironmentError = (name: string, configured: readonly string[]): CliError =>
  usageError(`No agent of environment ${name} is configured. Configured environments: ${configured.join(', ')}.`)

/**
 * Connects to the first agent that responds.
 *
 * @throws AgentUnreachableError: no agent responds
 * @throws CliError wrong-environment or other-contract: the agent cannot be used by this command
 */
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
      `The agent at ${agent.url} serves environment ${status.environment}, not ${expected}. Nothing was changed.`,
    )
  }
  if (status.contract.split('.')[0] !== CONTRACT_VERSION.split('.')[0]) {
    throw new CliError(
      ExitCode.refused,
      'other-contract',
      `The agent at ${agent.url} uses API contract ${status.contract}, but this command uses ${CONTRACT_VERSION}. ` +
        `Install version ${status.version} of the command.`,
    )
  }
}

/** The rollout of `--rollout`, or the agent's only rollout. */
export async function selectRollout(target: EnvironmentTarget, name: string | undefined): Promise<RolloutSummary> {
  const rollouts = await target.agent.rollouts()
  const names = rollouts.map((rollout) => rollout.rollout)
  if (name !== undefined) {
    const match = rollouts.find((rollout) => rollout.rollout === name)
    if (match) return match
    throw usageError(
      `Rollout ${name} does not exist in ${target.environment}. Existing rollouts: ${names.join(', ') || 'none'}.`,
    )
  }
  const onlyName = requireOnlyRollout(target.environment, names)
  return rollouts.find((rollout) => rollout.rollout === onlyName)!
}

/** The rollout's name alone, which the agent knows without its database; turning the flag off needs nothing else. */
export function selectRolloutName({ status, environment }: EnvironmentTarget, name: string | undefined): string {
  return name ?? requireOnlyRollout(environment, [...status.rollouts, ...(status.groups ?? [])])
}

/** The name of a rollout with several tables: that of `--rollout`, or the agent's only one. */
export function selectGroupName({ status, environment }: EnvironmentTarget, name: string | undefined): string {
  const groups = status.groups ?? []
  if (name !== undefined) return name
  if (groups.length === 0)
    throw usageError(`The agent of ${environment} has no rollout with several tables (docs/tenants.md).`)
  return requireOnlyRollout(environment, groups)
}

/** Like `selectRollout`, for operations, which a rollout with several tables has, too. */
export async function selectForOperation(
  target: EnvironmentTarget,
  name: string | undefined,
): Promise<Pick<RolloutSummary, 'rollout'>> {
  const groups = target.status.groups ?? []
  if (groups.length === 0) return await selectRollout(target, name)
  const rollout = selectRolloutName(target, name)
  return groups.includes(rollout) ? { rollout } : await selectRollout(target, rollout)
}

function requireOnlyRollout(environment: string, names: readonly string[]): string {
  const [onlyName, secondName] = names
  if (onlyName === undefined)
    throw usageError(`The agent of ${environment} has no rollout. Add a rollout file to the agent's rollout folder.`)
  if (secondName !== undefined) throw usageError(`Select a rollout: --rollout ${names.join(' or ')}.`)
  return onlyName
}
