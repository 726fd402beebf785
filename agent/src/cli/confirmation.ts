import type { Command } from 'commander'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import { addRunOptions, type RunOptions } from './runOperation.ts'
import { addTargetOptions } from './commandSetup.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'
import { askQuestion, isInteractive, type Terminal } from './terminal.ts'

export interface ConfirmOptions extends RunOptions {
  readonly confirm?: string
}

export function addConfirmOptions(command: Command): Command {
  return addRunOptions(addTargetOptions(command)).option(
    '--confirm <rollout>',
    "the rollout's name, instead of typing it when asked",
  )
}

/** The rollout's name is given with --confirm, or typed after a look at what would be done. */
export async function requireConfirmation(
  terminal: Terminal,
  { confirm, dryRun }: ConfirmOptions,
  { environment }: EnvironmentTarget,
  name: string,
  action: string,
  showPreview: () => Promise<void>,
): Promise<void> {
  if (confirm !== undefined && confirm !== name)
    throw usageError(`--confirm must be the rollout's name, ${name}; nothing was done.`)
  if (confirm !== undefined || dryRun) return
  if (!isInteractive(terminal)) throw usageError(`Without a terminal to ask on, this needs --confirm ${name}.`)
  await showPreview()
  const typed = await askQuestion(terminal, `Type ${name} to ${action} in ${environment}: `)
  if (typed !== name) throw new CliError(ExitCode.refused, 'not-confirmed', 'That is not its name; nothing was done.')
}
