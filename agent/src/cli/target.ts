import { CONTRACT_VERSION, type AgentStatus, type RolloutSummary } from '../contract/index.ts'
import { AgentAway, agentClient, type AgentClient } from './client.ts'
import { CliError, Exit, usage } from './exit.ts'
import type { Settings } from './settings.ts'

/** One environment: its agents in the order of the configuration, the one that answers first in front. */
export interface Target {
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
export async function chooseTarget(settings: Settings, options: TargetOptions): Promise<Target> {
  const names = [...settings.environments.keys()]
  const name = settings.environments.has('') ? '' : (options.environment ?? (names.length === 1 ? names[0] : undefined))
  if (name === undefined) throw usage(`Say which environment: --environment ${names.join(' or ')}.`)
  const addresses = settings.environments.get(name)
  if (!addresses) throw usage(`No agent of environment ${name} is configured; there are: ${names.join(', ')}.`)
  return openTarget(addresses.map(agentClient), name || options.environment)
}

/** Asks the agents in order until one answers; refuses one of another environment or another contract. */
export async function openTarget(agents: readonly AgentClient[], expected: string | undefined): Promise<Target> {
  let away: AgentAway | undefined
  for (const agent of agents) {
    try {
      const status = await agent.status()
      checkStatus(agent, status, expected)
      const others = agents.filter((other) => other !== agent)
      return { environment: status.environment, status, agent, agents: [agent, ...others] }
    } catch (error) {
      if (!(error instanceof AgentAway)) throw error
      away ??= error
    }
  }
  throw away ?? usage('No agent is configured.')
}

function checkStatus(agent: AgentClient, status: AgentStatus, expected: string | undefined): void {
  if (expected !== undefined && status.environment !== expected) {
    throw new CliError(
      Exit.refused,
      'wrong-environment',
      `The agent at ${agent.url} serves environment ${status.environment}, not ${expected}: nothing was done.`,
    )
  }
  if (status.contract.split('.')[0] !== CONTRACT_VERSION.split('.')[0]) {
    throw new CliError(
      Exit.refused,
      'other-contract',
      `The agent at ${agent.url} speaks contract ${status.contract}, this command ${CONTRACT_VERSION}: use the ` +
        `command of the agent's version (${status.version}).`,
    )
  }
}

/** The rollout that `--rollout` names, or the only one the agent has. */
export async function chooseRollout(target: Target, wanted: string | undefined): Promise<RolloutSummary> {
  const rollouts = await target.agent.rollouts()
  const names = rollouts.map((rollout) => rollout.rollout)
  if (wanted !== undefined) {
    const found = rollouts.find((rollout) => rollout.rollout === wanted)
    if (!found) throw usage(`There is no rollout ${wanted} in ${target.environment}; there are: ${list(names)}.`)
    return found
  }
  const [only, second] = rollouts
  if (!only) throw usage(`The agent of ${target.environment} has no rollout: put a file into its rollout folder.`)
  if (second) throw usage(`Say which rollout: --rollout ${names.join(' or ')}.`)
  return only
}

/** The same by name alone, as the agent knows it also while its database is away: turning off needs no more. */
export function chooseName({ status, environment }: Target, wanted: string | undefined): string {
  const names = status.rollouts
  if (wanted !== undefined) return wanted
  const [only, second] = names
  if (only === undefined) throw usage(`The agent of ${environment} has no rollout: put a file into its rollout folder.`)
  if (second !== undefined) throw usage(`Say which rollout: --rollout ${names.join(' or ')}.`)
  return only
}

const list = (names: readonly string[]): string => names.join(', ') || 'none'
