import type { Command } from 'commander'
import { CliError, Exit, usage } from './exit.ts'
import { withRun, type RunOptions } from './runOperation.ts'
import { withTarget } from './session.ts'
import type { Target } from './target.ts'
import { ask, interactive, type Terminal } from './terminal.ts'

export interface ConfirmedOptions extends RunOptions {
  readonly confirm?: string
}

export function withConfirm(command: Command): Command {
  return withRun(withTarget(command)).option(
    '--confirm <rollout>',
    "the rollout's name, instead of typing it when asked",
  )
}

/** The rollout's name is given with --confirm, or typed after a look at what would be done. */
export async function confirmed(
  terminal: Terminal,
  { confirm, dryRun }: ConfirmedOptions,
  { environment }: Target,
  name: string,
  what: string,
  show: () => Promise<void>,
): Promise<void> {
  if (confirm !== undefined && confirm !== name)
    throw usage(`--confirm must be the rollout's name, ${name}; nothing was done.`)
  if (confirm !== undefined || dryRun) return
  if (!interactive(terminal)) throw usage(`Without a terminal to ask on, this needs --confirm ${name}.`)
  await show()
  const typed = await ask(terminal, `Type ${name} to ${what} in ${environment}: `)
  if (typed !== name) throw new CliError(Exit.refused, 'not-confirmed', 'That is not its name; nothing was done.')
}
