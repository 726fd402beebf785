import type { AutomaticRollback } from '../../contract/index.ts'
import { durationParser } from '../argumentParsers.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface AutomaticRollbackOptions extends CommonOptions {
  readonly reason?: string
  readonly for?: number
}

const DEFAULT_PAUSE_SECONDS = 3_600

export const registerAutomaticRollback: RegisterCommand = (program, run) => {
  const command = program
    .command('automatic-rollback')
    .description('Show, pause or resume rollbacks that an alert or the agent’s guard starts')
  addTargetOptions(command.command('show', { isDefault: true }))
    .description('Show whether automatic rollback is armed and whether alerts arrive')
    .action(run(showAutomaticRollback))
  addTargetOptions(command.command('pause'))
    .description('Pause automatic rollback; it resumes automatically')
    .option(
      '--for <duration>',
      'Duration, such as 30m, 2h or 1d (default: 1h, maximum: 7d)',
      durationParser({ minimum: 1, maximum: 7 * 86_400 }),
    )
    .option('--reason <text>', 'Reason, recorded with the events (required)')
    .action(run(pauseAutomaticRollback))
  addTargetOptions(command.command('resume'))
    .description('End the pause now')
    .option('--reason <text>', 'Reason, recorded with the events (required)')
    .action(run(resumeAutomaticRollback))
}

async function showAutomaticRollback(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { automaticRollback } = await target.agent.rollout(rollout.rollout)
  output.value(automaticRollback)
  for (const line of formatAutomaticRollback(automaticRollback)) output.line(line)
  return ExitCode.done
}

async function pauseAutomaticRollback(terminal: Terminal, options: AutomaticRollbackOptions): Promise<ExitCode> {
  const until = new Date(Date.now() + (options.for ?? DEFAULT_PAUSE_SECONDS) * 1_000).toISOString()
  return await setAutomaticRollback(terminal, options, { armed: false, until })
}

const resumeAutomaticRollback = (terminal: Terminal, options: AutomaticRollbackOptions): Promise<ExitCode> =>
  setAutomaticRollback(terminal, options, { armed: true })

async function setAutomaticRollback(
  terminal: Terminal,
  options: AutomaticRollbackOptions,
  change: { armed: boolean; until?: string },
): Promise<ExitCode> {
  const { reason } = options
  if (!reason) throw usageError('--reason is required. It is recorded with the events.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const updated = await target.agent.automaticRollback(rollout.rollout, {
    ...change,
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
  pausedBy,
  pausedUntil,
  reason,
  guard,
  pathLive,
  pathStarting,
  pathSeenAt,
}: AutomaticRollback): string[] {
  return [
    armed
      ? `Automatic rollback is armed for: ${scopes.join(', ') || 'nothing (automaticRollback in the rollout file is empty)'}.`
      : `Automatic rollback is paused until ${pausedUntil?.slice(0, 16).replace('T', ' ')} UTC by ${pausedBy}: ${reason}`,
    `The agent’s guard is ${guard ? 'on' : 'off'}.`,
    pathLive
      ? `Alerts reach this agent; last watchdog at ${pathSeenAt?.slice(11, 19)} UTC.`
      : pathStarting
        ? 'The agent has just started and waits for the first watchdog alert, which is sent every minute.'
        : 'Alerts do not reach this agent: no watchdog alert in the last three minutes.',
  ]
}
