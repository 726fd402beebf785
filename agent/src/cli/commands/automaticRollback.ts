import type { AutomaticRollback } from '../../contract/index.ts'
import { Exit, usage } from '../exit.ts'
import { openRollout, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface SwitchOptions extends CommonOptions {
  readonly reason?: string
  readonly for?: string
}

export const registerAutomaticRollback: Register = (program, run) => {
  const command = program
    .command('automatic-rollback')
    .description('whether an alert, or the agent itself, may roll back without a person')
  withTarget(command.command('show', { isDefault: true }))
    .description('armed or held, and whether alerts arrive')
    .action(run(show))
  withTarget(command.command('hold'))
    .description('nothing is rolled back by itself until then; it arms itself again')
    .option('--for <duration>', 'such as 30m, 2h or 1d (default: 1h, at most 7d)')
    .option('--reason <text>', 'why')
    .action(run(hold))
  withTarget(command.command('arm')).description('end a hold').option('--reason <text>', 'why').action(run(arm))
}

async function show(terminal: Terminal, options: CommonOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const { automaticRollback } = await target.agent.rollout(rollout.rollout)
  output.value(automaticRollback)
  for (const line of linesOf(automaticRollback)) output.line(line)
  return Exit.done
}

async function hold(terminal: Terminal, options: SwitchOptions): Promise<Exit> {
  const until = new Date(Date.now() + millisecondsOf(options.for ?? '1h')).toISOString()
  return await change(terminal, options, { armed: false, until })
}

const arm = (terminal: Terminal, options: SwitchOptions): Promise<Exit> => change(terminal, options, { armed: true })

async function change(
  terminal: Terminal,
  options: SwitchOptions,
  to: { armed: boolean; until?: string },
): Promise<Exit> {
  const { reason } = options
  if (!reason) throw usage('This needs --reason: it is kept with the events.')
  const { target, rollout, output } = await openRollout(terminal, options)
  const now = await target.agent.automaticRollback(rollout.rollout, {
    ...to,
    environment: target.environment,
    reason,
  })
  output.value(now)
  for (const line of linesOf(now)) output.line(line)
  return Exit.done
}

function linesOf({
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

function millisecondsOf(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? []
  const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit ?? '']
  if (seconds === undefined) throw usage('--for must be a duration, such as 30m, 2h or 1d.')
  return Number(count) * seconds * 1_000
}
