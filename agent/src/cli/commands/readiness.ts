import type { Readiness, ReadinessList } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { formatPercent } from '../../format/format.ts'
import { durationParser } from '../argumentParsers.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import { alignRows } from '../table.ts'

interface AttestOptions extends CommonOptions {
  readonly note?: string
  readonly expires?: number
  readonly withdraw?: boolean
}

const LIST_TITLES = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
} as const satisfies Partial<Record<ReadinessList, string>>

export const registerReadiness: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('readiness'))
    .description('Show the definition of done, item by item; exit code 0 if all items are ready, else 4')
    .option('--todo', 'Show only the items that are not ready, each with the next step')
    .action(run(showReadiness))
  addTargetOptions(
    program.command('attest').argument('<item>', 'Item, such as training, documentation or "contact:Technical Lead"'),
  )
    .description('Sign off an item that only a person can confirm')
    .option('--note <text>', 'What was done and seen, or the reason for --withdraw (required)')
    .option(
      '--expires <duration>',
      'Validity of the sign-off, such as 30d (default: 90d, maximum: 366d)',
      durationParser({ minimum: 3_600, maximum: 366 * 86_400 }),
    )
    .option('--withdraw', 'Withdraw the sign-off')
    .action(run(signOff))
}

async function showReadiness(terminal: Terminal, options: CommonOptions & { todo?: boolean }): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const current = await target.agent.readiness(rollout.rollout)
  output.value(current)
  printReadiness(current, output, options.todo ?? false)
  return current.items.every(({ state }) => state === 'ready') ? ExitCode.done : ExitCode.inconclusive
}

function printReadiness({ items, ratios, notes }: Readiness, output: Output, todo: boolean): void {
  for (const [list, title] of Object.entries(LIST_TITLES)) {
    output.line(`${title}: ${formatPercent(ratios[list as ReadinessList])}`)
    const shown = items.filter(
      ({ lists, state }) => lists.includes(list as ReadinessList) && !(todo && state === 'ready'),
    )
    const rows = shown.map(({ state, item, sentence }) => [`  ${state}`, item, sentence])
    const lines = alignRows(rows, output.terminal.stdout.columns)
    shown.forEach(({ next, command }, index) => {
      lines[index]!.forEach((line) => output.line(line))
      if (todo && next !== null) output.line(`      ${next}${command === null ? '' : ` Or here: ${command}`}`)
    })
  }
  for (const note of notes) output.line(`note: ${note}`)
  output.line(`Team: ${formatPercent(ratios.team)}, documentation: ${formatPercent(ratios.documentation)}`)
}

async function signOff(terminal: Terminal, item: string, options: AttestOptions): Promise<ExitCode> {
  const { note, withdraw = false } = options
  if (!note) throw usageError('--note is required: what was done and seen, or why the sign-off is withdrawn.')
  if (withdraw && options.expires !== undefined) throw usageError('--expires cannot be combined with --withdraw.')
  const expiresAt =
    options.expires === undefined ? undefined : new Date(Date.now() + options.expires * 1_000).toISOString()
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const updated = await target.agent.attest(rollout.rollout, {
    item,
    note,
    withdraw,
    ...(expiresAt ? { expiresAt } : {}),
  })
  output.value(updated)
  output.line(withdraw ? `Withdrawn: ${item}.` : `Signed off: ${item}.`)
  return ExitCode.done
}
