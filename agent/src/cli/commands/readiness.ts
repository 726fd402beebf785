import type { Readiness, ReadinessList } from '../../contract/index.ts'
import { Exit, usage } from '../exit.ts'
import { percent } from '../numbers.ts'
import { openRollout, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Output, Terminal } from '../terminal.ts'
import { columns } from '../text.ts'

interface AttestOptions extends CommonOptions {
  readonly note?: string
  readonly expires?: string
  readonly withdraw?: boolean
}

const LISTS = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
} as const satisfies Partial<Record<ReadinessList, string>>

export const registerReadiness: Register = (program, run) => {
  withTarget(program.command('readiness'))
    .description('the definition of done, item by item; exit code 0 when all of it is ready, else 4')
    .option('--todo', 'only what is not ready, with how to make it so')
    .action(run(readiness))
  withTarget(
    program.command('attest').argument('<item>', 'such as training, documentation or "contact:Technical Lead"'),
  )
    .description('sign off what only people know')
    .option('--note <text>', 'what was done and seen; with --withdraw, why')
    .option('--expires <duration>', 'how long it holds, such as 30d (default: 90d, at most 366d)')
    .option('--withdraw', 'it is so no longer')
    .action(run(attest))
}

async function readiness(terminal: Terminal, options: CommonOptions & { todo?: boolean }): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const found = await target.agent.readiness(rollout.rollout)
  output.value(found)
  show(found, output, options.todo ?? false)
  return found.items.every(({ state }) => state === 'ready') ? Exit.done : Exit.inconclusive
}

function show({ items, ratios }: Readiness, output: Output, todo: boolean): void {
  for (const [list, title] of Object.entries(LISTS)) {
    output.line(`${title}: ${percent(ratios[list as ReadinessList])}`)
    const shown = items.filter(
      ({ lists, state }) => lists.includes(list as ReadinessList) && !(todo && state === 'ready'),
    )
    const lines = columns(shown.map(({ state, item, sentence }) => [`  ${state}`, item, sentence]))
    shown.forEach(({ next }, index) => {
      output.line(lines[index]!)
      if (todo && next !== null) output.line(`      ${next}`)
    })
  }
  output.line(`Team: ${percent(ratios.team)}, documentation: ${percent(ratios.documentation)}`)
}

async function attest(terminal: Terminal, item: string, options: AttestOptions): Promise<Exit> {
  const { note, withdraw = false } = options
  if (!note) throw usage('This needs --note: what was done and seen, or why it is withdrawn.')
  if (withdraw && options.expires !== undefined) throw usage('--expires does not go with --withdraw.')
  const expiresAt = options.expires === undefined ? undefined : expiry(options.expires)
  const { target, rollout, output } = await openRollout(terminal, options)
  const found = await target.agent.attest(rollout.rollout, {
    item,
    note,
    withdraw,
    ...(expiresAt ? { expiresAt } : {}),
  })
  output.value(found)
  output.line(withdraw ? `Withdrawn: ${item}.` : `Signed off: ${item}.`)
  return Exit.done
}

function expiry(text: string): string {
  const [, count, unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? []
  if (count === undefined) throw usage('--expires must be hours or days, such as 12h or 30d.')
  return new Date(Date.now() + Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000)).toISOString()
}
