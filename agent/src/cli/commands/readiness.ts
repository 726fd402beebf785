import type { Readiness, ReadinessList } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { formatPercent } from '../formatNumbers.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import { alignColumns } from '../formatResponses.ts'

interface AttestOptions extends CommonOptions {
  readonly note?: string
  readonly expires?: string
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
    .description('the definition of done, item by item; exit code 0 when all of it is ready, else 4')
    .option('--todo', 'only what is not ready, with how to make it so')
    .action(run(showReadiness))
  addTargetOptions(
    program.command('attest').argument('<item>', 'such as training, documentation or "contact:Technical Lead"'),
  )
    .description('sign off what only people know')
    .option('--note <text>', 'what was done and seen; with --withdraw, why')
    .option('--expires <duration>', 'how long it holds, such as 30d (default: 90d, at most 366d)')
    .option('--withdraw', 'it is so no longer')
    .action(run(signOff))
}

async function showReadiness(terminal: Terminal, options: CommonOptions & { todo?: boolean }): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const current = await target.agent.readiness(rollout.rollout)
  output.value(current)
  printReadiness(current, output, options.todo ?? false)
  return current.items.every(({ state }) => state === 'ready') ? ExitCode.done : ExitCode.inconclusive
}

function printReadiness({ items, ratios }: Readiness, output: Output, todo: boolean): void {
  for (const [list, title] of Object.entries(LIST_TITLES)) {
    output.line(`${title}: ${formatPercent(ratios[list as ReadinessList])}`)
    const shown = items.filter(
      ({ lists, state }) => lists.includes(list as ReadinessList) && !(todo && state === 'ready'),
    )
    const lines = alignColumns(shown.map(({ state, item, sentence }) => [`  ${state}`, item, sentence]))
    shown.forEach(({ next }, index) => {
      output.line(lines[index]!)
      if (todo && next !== null) output.line(`      ${next}`)
    })
  }
  output.line(`Team: ${formatPercent(ratios.team)}, documentation: ${formatPercent(ratios.documentation)}`)
}

async function signOff(terminal: Terminal, item: string, options: AttestOptions): Promise<ExitCode> {
  const { note, withdraw = false } = options
  if (!note) throw usageError('This needs --note: what was done and seen, or why it is withdrawn.')
  if (withdraw && options.expires !== undefined) throw usageError('--expires does not go with --withdraw.')
  const expiresAt = options.expires === undefined ? undefined : parseExpiry(options.expires)
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

function parseExpiry(text: string): string {
  const [, count, unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? []
  if (count === undefined) throw usageError('--expires must be hours or days, such as 12h or 30d.')
  return new Date(Date.now() + Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000)).toISOString()
}
