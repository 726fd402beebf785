import { Exit } from '../exit.ts'
import { follow } from '../follow.ts'
import { openRollout, openTarget, withTarget, type CommonOptions, type Register } from '../session.ts'
import { operationId } from '../arguments.ts'
import { operationText } from '../text.ts'
import type { Terminal } from '../terminal.ts'

interface WatchOptions extends CommonOptions {
  readonly events?: boolean
}

export const registerWatch: Register = (program, run) => {
  withTarget(program.command('watch'))
    .description('follow an operation to its end; Ctrl-C stops the looking, not the operation')
    .argument('[id]', 'operation to follow (default: the one that runs)', operationId)
    .option('--events', 'each event as a line')
    .action(run(watch))
}

async function watch(terminal: Terminal, id: number | undefined, options: WatchOptions): Promise<Exit> {
  const { target, output, rollout } =
    id === undefined
      ? await openRollout(terminal, options)
      : { ...(await openTarget(terminal, options)), rollout: null }
  const running = id === undefined ? rollout?.running : await target.agent.operation(id)
  if (!running) {
    output.line(`Nothing runs for ${rollout?.rollout} in ${target.environment}.`)
    return Exit.done
  }
  const last = await follow(target.agents, running, output, {
    reporting: true,
    events: options.events ?? false,
    cancelHint: `sti operations cancel ${running.id}`,
  })
  output.line(operationText(last))
  return last.state === 'succeeded' ? Exit.done : Exit.failed
}
