import type { Acceptances } from '../../contract/index.ts'
import { durationParser } from '../argumentParsers.ts'
import { addTargetOptions, openCommandRollout, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import {} from '../formatResponses.ts'
import type { Output, Terminal } from '../terminal.ts'

interface AcceptCheckOptions extends CommonOptions {
  readonly subject?: readonly string[]
  readonly all?: boolean
  readonly reason?: string
  readonly expires?: number
  readonly withdraw?: boolean
}

export const registerAcceptances: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('acceptances'))
    .description('List acceptances, and the subjects of checks that an admin can accept')
    .action(run(listAcceptances))
  addTargetOptions(program.command('accept-check').argument('<check>', 'Name of the check, such as no-function-body'))
    .description('Accept subjects that a check cannot decide, by name and with an expiry (requires an admin token)')
    .option(
      '--subject <names...>',
      'Subject to accept, as listed by sti acceptances, or a prefix that matches only one',
    )
    .option('--all', 'Accept every subject that the newest run of the check names')
    .option('--reason <text>', 'How you know that it is safe, or the reason for --withdraw (required)')
    .option(
      '--expires <duration>',
      'Validity of the acceptance, such as 30d (default: 90d, maximum: 366d)',
      durationParser({ minimum: 3_600, maximum: 366 * 86_400 }),
    )
    .option('--withdraw', 'Withdraw the acceptance')
    .action(run(acceptCheck))
}

async function listAcceptances(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  printAcceptances(await target.agent.acceptances(rollout.rollout), output)
  return ExitCode.done
}

async function acceptCheck(terminal: Terminal, check: string, options: AcceptCheckOptions): Promise<ExitCode> {
  const { reason, withdraw = false, all = false, subject = [] } = options
  if (!reason) throw usageError('--reason is required: how you know that it is safe, or why it is withdrawn.')
  if (withdraw && options.expires !== undefined) throw usageError('--expires cannot be combined with --withdraw.')
  if (all === subject.length > 0)
    throw usageError('Specify --subject, or --all. To see what can be accepted: sti acceptances')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const subjects = all ? readSubjects(await target.agent.acceptances(rollout.rollout), check, withdraw) : [...subject]
  const updated = await target.agent.accept(rollout.rollout, {
    environment: target.environment,
    check,
    subjects,
    reason,
    withdraw,
    expiresAt: options.expires === undefined ? undefined : new Date(Date.now() + options.expires * 1_000).toISOString(),
  })
  printAcceptances(updated, output)
  return ExitCode.done
}

function readSubjects({ acceptances, acceptable }: Acceptances, check: string, withdraw: boolean): string[] {
  const candidates = withdraw ? acceptances.filter(({ valid }) => valid) : acceptable
  const subjects = [...new Set(candidates.filter((one) => one.check === check).map(({ subject }) => subject))]
  if (subjects.length > 0) return subjects
  throw new CliError(
    ExitCode.refused,
    'refused',
    withdraw
      ? `${check} has no valid acceptance.`
      : `The newest run of ${check} has no subject to accept. To see the subjects of all checks: sti acceptances`,
  )
}

function printAcceptances(all: Acceptances, output: Output): void {
  output.value(all)
  const valid = all.acceptances.filter((one) => one.valid)
  const isAccepted = ({ check, subject }: { check: string; subject: string }): boolean =>
    valid.some((one) => one.check === check && one.subject === subject)
  const rows = [
    ...valid.map(({ check, subject, by, expiresAt, reason }) => [
      'accepted',
      check,
      subject,
      `by ${by.name} until ${expiresAt.slice(0, 10)}: ${reason}`,
    ]),
    ...all.acceptable.filter((one) => !isAccepted(one)).map(({ check, subject }) => ['open', check, subject, '']),
    ...all.acceptances
      .filter((one) => !one.valid)
      .map(({ check, subject, why }) => ['invalid', check, subject, why ?? '']),
  ]
  if (rows.length === 0) output.line('There are no acceptances, and no check has a subject to accept.')
  else output.table([['STATE', 'CHECK', 'SUBJECT', ''], ...rows])
}
