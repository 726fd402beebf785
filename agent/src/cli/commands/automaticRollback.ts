import type { AutomaticRollback } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface AutomaticRollbackOptions extends CommonOptions {
  readonly reason?: string
  readonly for?: string
}

export const registerAutomaticRollback: RegisterCommand = (program, run) => {
  const command = program
    .command('automatic-rollback')
    .description('whether an alert, or the agent itself, may roll back without a person')
  addTargetOptions(command.command('show', { isDefault: true }))
    .description('armed or held, and whether alerts arrive')
    .action(run(showAutomaticRollback))
  addTargetOptions(command.command('hold'))
    .description('nothing is rolled back by itself until then; it arms itself again')
    .option('--for <duration>', 'such as 30m, 2h or 1d (default: 1h, at most 7d)')
    .option('--reason <text>', 'why')
    .action(run(holdAutomaticRollback))
  addTargetOptions(command.command('arm'))
    .description('end a hold')
    .option('--reason <text>', 'why')
    .action(run(armAutomaticRollback))
}

async function showAutomaticRollback(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { automaticRollback } = await target.agent.rollout(rollout.rollout)
  output.value(automaticRollback)
  for (const line of formatAutomaticRollback(automaticRollback)) output.line(line)
  return ExitCode.done
}

async function holdAutomaticRollback(terminal: Terminal, options: AutomaticRollbackOptions): Promise<ExitCode> {
  const until = new Date(Date.now() + parseDurationMs(options.for ?? '1h')).toISOString()
  return await setAutomaticRollback(terminal, options, { armed: false, until })
}

const armAutomaticRollback = (terminal: Terminal, options: AutomaticRollbackOptions): Promise<ExitCode> =>
  setAutomaticRollback(terminal, options, { armed: true })

async function setAutomaticRollback(
  terminal: Terminal,
  options: AutomaticRollbackOptions,
  to: { armed: boolean; until?: string },
): Promise<ExitCode> {
  const { reason } = options
  if (!reason) throw usageError('This needs --reason: it is kept with the events.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const updated = await target.agent.automaticRollback(rollout.rollout, {
    ...to,
    environment: target.environment,
    reason,
  })
  output.value(updated)
  for (const line of formatAutomaticRollback(updated)) output.line(line)
  return ExitCode.done
}

function formatAutomaticRollback({
  armed,
  scopes,
  heldBy,
  heldUntil,
  reason,
  guard,
  pathLive,
  pathSeenAt,
}: AutomaticRollback): string[] {
  return [
    armed
      ? `armed: ${scopes.join(', ') || 'nothing, as the rollout file says'}`
      : `held by ${heldBy} until ${heldUntil?.slice(0, 16).replace('T', ' ')} UTC: ${reason}`,
    `the agent's own guard is ${guard ? 'on' : 'off'}`,
    pathLive
      ? `alerts arrive: the watchdog was seen at ${pathSeenAt?.slice(11, 19)} UTC`
      : 'alerts do not arrive: the watchdog has not been seen for three minutes',
  ]
}

function parseDurationMs(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? []
  const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit ?? '']
  if (seconds === undefined) throw usageError('--for must be a duration, such as 30m, 2h or 1d.')
  return Number(count) * seconds * 1_000
}
