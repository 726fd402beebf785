import { ExitCode } from '../exitCode.ts'
import { followOperation } from '../followOperation.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import { parseId } from '../argumentParsers.ts'
import { addWaitOption } from '../runOperation.ts'
import { formatOperation } from '../formatResponses.ts'
import type { Terminal } from '../terminal.ts'

interface WatchOptions extends CommonOptions {
  readonly events?: boolean
  readonly waitTimeout?: number
}

export const registerWatch: RegisterCommand = (program, run) => {
  addWaitOption(addTargetOptions(program.command('watch')))
    .description('Watch an operation until it ends; Ctrl-C stops watching, not the operation')
    .argument('[id]', 'Operation ID (default: the running operation)', parseId)
    .option('--events', 'Print each event')
    .action(run(watchOperation))
}

async function watchOperation(terminal: Terminal, id: number | undefined, options: WatchOptions): Promise<ExitCode> {
  const { target, output, rollout } =
    id === undefined
      ? await openCommandRollout(terminal, options)
      : { ...(await openCommandTarget(terminal, options)), rollout: null }
  const running = id === undefined ? rollout?.running : await target.agent.operation(id)
  if (!running) {
    output.line(`No operation of ${rollout?.rollout} is running in ${target.environment}.`)
    return ExitCode.done
  }
  const finished = await followOperation(target.agents, running, output, {
    progressLines: true,
    events: options.events ?? false,
    waitTimeout: options.waitTimeout,
    cancelHint: `sti operations cancel ${running.id}`,
  })
  output.line(formatOperation(finished))
  return finished.state === 'succeeded' ? ExitCode.done : ExitCode.failed
}
