import type { Command } from 'commander'
import type { RolloutSummary } from '../contract/index.ts'
import type { ExitCode } from './exitCode.ts'
import { loadCliSettings, type CliSettings } from './cliSettings.ts'
import {
  selectForOperation,
  selectRollout,
  selectTarget,
  type EnvironmentTarget,
  type TargetOptions,
} from './environmentTarget.ts'
import { createOutput, type Output, type Terminal } from './terminal.ts'

export interface CommonOptions extends TargetOptions {
  readonly config?: string
  readonly json?: boolean
}

/** Adds one command to the program; `run` wraps its action, which returns the exit code. */
export type RegisterCommand = (program: Command, run: RunAction) => void
export type RunAction = <A extends unknown[]>(
  action: (terminal: Terminal, ...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>

/** The options of every command that talks to an agent. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('-e, --environment <name>', 'Environment (default: the only configured environment)')
    .option('-r, --rollout <name>', 'Rollout (default: the only rollout of the agent)')
    .option('-c, --config <file>', 'Configuration file to use instead of ./sti.yaml and ~/.config/sti/config.yaml')
    .option('--json', 'Print one JSON value per line')
}

export async function loadCommandSettings(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ settings: CliSettings; output: Output }> {
  const output = createOutput(terminal, options.json ?? false)
  const settings = await loadCliSettings(terminal, options.config)
  for (const warning of settings.warnings) output.note(`Warning: ${warning}`)
  return { settings, output }
}

export async function openCommandTarget(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; output: Output }> {
  const { settings, output } = await loadCommandSettings(terminal, options)
  return { target: await selectTarget(settings, options), output }
}

/** For an operation: of a rollout with one table or with several. */
export async function openOperationRollout(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; rollout: Pick<RolloutSummary, 'rollout'>; output: Output }> {
  const { target, output } = await openCommandTarget(terminal, options)
  return { target, rollout: await selectForOperation(target, options.rollout), output }
}

export async function openCommandRollout(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; rollout: RolloutSummary; output: Output }> {
  const { target, output } = await openCommandTarget(terminal, options)
  return { target, rollout: await selectRollout(target, options.rollout), output }
}
