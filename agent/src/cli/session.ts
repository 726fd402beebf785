import type { Command } from 'commander'
import type { RolloutSummary } from '../contract/index.ts'
import type { Exit } from './exit.ts'
import { loadSettings, type Settings } from './settings.ts'
import { chooseRollout, chooseTarget, type Target, type TargetOptions } from './target.ts'
import { output, type Output, type Terminal } from './terminal.ts'

export interface CommonOptions extends TargetOptions {
  readonly config?: string
  readonly json?: boolean
}

/** Registers one command; its action gives the exit code. */
export type Register = (program: Command, run: Run) => void
export type Run = <A extends unknown[]>(
  action: (terminal: Terminal, ...args: A) => Promise<Exit>,
) => (...args: A) => Promise<void>

/** The options that every command talking to an agent has. */
export function withTarget(command: Command): Command {
  return command
    .option('-e, --environment <name>', 'environment to act on (default: the only one configured)')
    .option('-r, --rollout <name>', 'rollout to act on (default: the only one there is)')
    .option('-c, --config <file>', 'configuration instead of ./sti.yaml and ~/.config/sti/config.yaml')
    .option('--json', 'one JSON value per line, for machines')
}

export async function openSettings(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ settings: Settings; output: Output }> {
  const out = output(terminal, options.json ?? false)
  const settings = await loadSettings(terminal, options.config)
  for (const warning of settings.warnings) out.note(`Warning: ${warning}`)
  return { settings, output: out }
}

export async function openTarget(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: Target; output: Output }> {
  const { settings, output: out } = await openSettings(terminal, options)
  return { target: await chooseTarget(settings, options), output: out }
}

export async function openRollout(
  terminal: Terminal,
  options: CommonOptions,
): Promise<{ target: Target; rollout: RolloutSummary; output: Output }> {
  const { target, output: out } = await openTarget(terminal, options)
  return { target, rollout: await chooseRollout(target, options.rollout), output: out }
}
