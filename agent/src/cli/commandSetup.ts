import type { Command } from 'commander'
import type { RolloutSummary } from '../contract/index.ts'
import type { ExitCode } from './exitCode.ts'
import { loadCliSettings, type CliSettings } from './cliSettings.ts'
import { selectRollout, selectTarget, type EnvironmentTarget, type TargetOptions } from './environmentTarget.ts'
import { createOutput, type Output, type Terminal } from './terminal.ts'

export interface CommonOptions extends TargetOptions {
  readonly config?: string
  readonly json?: boolean
}

/** Registers one command; its action gives the exit code. */
export type RegisterCommand = (program: Command, run: RunAction) => void
export type RunAction = <A extends unknown[]>(
  action: (terminal: Terminal, ...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>

/** The options that every command talking to an agent has. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('-e, --environment <name>', 'environment to act on (default: the only one configured)')
    .option('-r, --rollout <name>', 'rollout to act on (default: the only one there is)')
    .option('-c, --config <file>', 'configuration instead of ./sti.yaml and ~/.config/sti/config.yaml')
    .option('--json', 'one JSON value per line, for machines')
}

export async function loadCommandSettings(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ settings: CliSettings; output: Output }> {
  const out = createOutput(terminal, options.json ?? false)
  const settings = await loadCliSettings(terminal, options.config)
  for (const warning of settings.warnings) out.note(`Warning: ${warning}`)
  return { settings, output: out }
}

export async function openCommandTarget(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; output: Output }> {
  const { settings, output: out } = await loadCommandSettings(terminal, options)
  return { target: await selectTarget(settings, options), output: out }
}

export async function openCommandRollout(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: EnvironmentTarget; rollout: RolloutSummary; output: Output }> {
  const { target, output: out } = await openCommandTarget(terminal, options)
  return { target, rollout: await selectRollout(target, options.rollout), output: out }
}
