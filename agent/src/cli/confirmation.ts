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
    'Confirm with the name of the rollout instead of answering the prompt',
  )
}

/**
 * Requires the rollout's name from `--confirm`, or shows the preview and prompts for the name.
 *
 * @throws CliError usage or not-confirmed: the name is missing or different
 */
export async function requireConfirmation(
  terminal: Terminal,
  { confirm, dryRun }: ConfirmOptions,
  { environment }: EnvironmentTarget,
  name: string,
  action: string,
  showPreview: () => Promise<void>,
): Promise<void> {
  if (confirm !== undefined && confirm !== name)
    throw usageError(`--confirm must be the name of the rollout, ${name}. Nothing was changed.`)
  if (confirm !== undefined || dryRun) return
  if (!isInteractive(terminal)) throw usageError(`Without a terminal, this command requires --confirm ${name}.`)
  await showPreview()
  const typed = await askQuestion(terminal, `Type ${name} to ${action} in ${environment}: `)
  if (typed !== name)
    throw new CliError(ExitCode.refused, 'not-confirmed', 'The name does not match. Nothing was changed.')
}
