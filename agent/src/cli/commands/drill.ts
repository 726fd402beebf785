import { setTimeout as delay } from 'node:timers/promises'
import { Option } from 'commander'
import { Severity, ACKNOWLEDGE_TIMEOUT_SECONDS } from '../../contract/index.ts'
import { wholeNumberParser } from '../argumentParsers.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { formatDuration } from '../../format/format.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { formatIncident } from './incidents.ts'

interface DrillOptions extends CommonOptions {
  readonly severity: Severity
  readonly rollBackFlag?: boolean
  readonly reason?: string
  readonly timeout?: number
}

const POLL_INTERVAL_MS = 1_000

export const registerDrill: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('drill'))
    .description('Test the alert procedure: open a drill incident and wait until someone acknowledges it')
    .addOption(
      new Option('--severity <level>', 'Severity of the incident').choices(Severity.options).default('critical'),
    )
    .option('--roll-back-flag', 'Also turn the flag off (default: leave the flag as it is)')
    .option('--reason <text>', 'Reason, recorded with the incident')
    .option(
      '--timeout <seconds>',
      'How long to wait (default: the acknowledgement time of the severity)',
      wholeNumberParser(1, 86_400),
    )
    .action(run(runDrill))
}

async function runDrill(terminal: Terminal, options: DrillOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { severity, rollBackFlag = false, reason } = options
  const opened = await target.agent.drill(rollout.rollout, {
    environment: target.environment,
    severity,
    rollBackFlag,
    ...(reason === undefined ? {} : { reason }),
  })
  const timeoutSeconds = options.timeout ?? ACKNOWLEDGE_TIMEOUT_SECONDS[severity]
  output.line(`Drill ${opened.id} is open. Acknowledge it in Grafana, or with: sti incidents acknowledge ${opened.id}`)
  if (rollBackFlag) output.line('The flag is off.')
  const deadline = Date.now() + timeoutSeconds * 1_000
  for (;;) {
    const incidents = await target.agent.incidents(rollout.rollout, false)
    const current = incidents.find(({ id }) => id === opened.id)
    if (current !== undefined && current.state !== 'open') {
      output.value(current)
      output.line(formatIncident(current))
      if (current.closedNote !== null) output.line(current.closedNote)
      return current.late ? ExitCode.failed : ExitCode.done
    }
    if (Date.now() > deadline) {
      throw new CliError(
        ExitCode.failed,
        'not-acknowledged',
        `Nobody acknowledged drill ${opened.id} within ${formatDuration(timeoutSeconds)}. It stays open until someone does.`,
      )
    }
    await delay(POLL_INTERVAL_MS)
  }
}
