import { setTimeout as delay } from 'node:timers/promises'
import { Option } from 'commander'
import { Severity, ACKNOWLEDGE_SECONDS } from '../../contract/index.ts'
import { wholeNumber } from '../arguments.ts'
import { CliError, Exit } from '../exit.ts'
import { duration } from '../numbers.ts'
import { openRollout, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { incidentText } from './incidents.ts'

interface DrillOptions extends CommonOptions {
  readonly severity: Severity
  readonly rollBackFlag?: boolean
  readonly reason?: string
  readonly timeout?: number
}

const LOOK_MS = 1_000

export const registerDrill: Register = (program, run) => {
  withTarget(program.command('drill'))
    .description('try the alert procedure: open an incident as in earnest, and wait until somebody acknowledges it')
    .addOption(new Option('--severity <level>', 'of the incident').choices(Severity.options).default('critical'))
    .option('--roll-back-flag', 'also turn the flag off; without it nothing is turned off')
    .option('--reason <text>', 'why')
    .option('--timeout <seconds>', 'how long to wait (default: as the severity asks)', wholeNumber(1, 86_400))
    .action(run(drill))
}

async function drill(terminal: Terminal, options: DrillOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const { severity, rollBackFlag = false, reason } = options
  const opened = await target.agent.drill(rollout.rollout, {
    environment: target.environment,
    severity,
    rollBackFlag,
    ...(reason === undefined ? {} : { reason }),
  })
  const most = options.timeout ?? ACKNOWLEDGE_SECONDS[severity]
  output.line(`Drill ${opened.id} is open: acknowledge it in Grafana, or with: sti incidents acknowledge ${opened.id}`)
  if (rollBackFlag) output.line('The flag was turned off.')
  const until = Date.now() + most * 1_000
  for (;;) {
    const all = await target.agent.incidents(rollout.rollout, false)
    const now = all.find(({ id }) => id === opened.id)
    if (now !== undefined && now.state !== 'open') {
      output.value(now)
      output.line(incidentText(now))
      if (now.closedNote !== null) output.line(now.closedNote)
      return now.late ? Exit.failed : Exit.done
    }
    if (Date.now() > until) {
      throw new CliError(
        Exit.failed,
        'not-acknowledged',
        `Nobody has acknowledged drill ${opened.id} within ${duration(most)}; it stays open until somebody does.`,
      )
    }
    await delay(LOOK_MS)
  }
}
