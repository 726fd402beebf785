import { setTimeout as delay } from 'node:timers/promises'
import { Option } from 'commander'
import { Severity, ACKNOWLEDGE_TIMEOUT_SECONDS } from '../../contract/index.ts'
import { wholeNumberParser } from '../argumentParsers.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { formatDuration } from '../formatNumbers.ts'
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
    .description('try the alert procedure: open an incident as in earnest, and wait until somebody acknowledges it')
    .addOption(new Option('--severity <level>', 'of the incident').choices(Severity.options).default('critical'))
    .option('--roll-back-flag', 'also turn the flag off; without it nothing is turned off')
    .option('--reason <text>', 'why')
    .option('--timeout <seconds>', 'how long to wait (default: as the severity asks)', wholeNumberParser(1, 86_400))
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
  output.line(`Drill ${opened.id} is open: acknowledge it in Grafana, or with: sti incidents acknowledge ${opened.id}`)
  if (rollBackFlag) output.line('The flag was turned off.')
  const deadline = Date.now() + timeoutSeconds * 1_000
  for (;;) {
    const all = await target.agent.incidents(rollout.rollout, false)
    const current = all.find(({ id }) => id === opened.id)
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
        `Nobody has acknowledged drill ${opened.id} within ${formatDuration(timeoutSeconds)}; it stays open until somebody does.`,
      )
    }
    await delay(POLL_INTERVAL_MS)
  }
}
