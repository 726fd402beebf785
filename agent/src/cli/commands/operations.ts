import type { LimitsPatch, Operation } from '../../contract/index.ts'
import { decimal, operationId, wholeNumber } from '../arguments.ts'
import { Exit, usage } from '../exit.ts'
import { limit } from '../limits.ts'
import { openRollout, openTarget, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Output, Terminal } from '../terminal.ts'
import { columns, operationHead, operationRow, operationText } from '../text.ts'

interface ActOptions extends CommonOptions {
  readonly reason?: string
}

interface TuneOptions extends CommonOptions {
  readonly batchSize?: number
  readonly maximumBatchSeconds?: number
  readonly workers?: number
  readonly niceRatio?: number
  readonly limit?: LimitsPatch
}

export const registerOperations: Register = (program, run) => {
  const operations = program.command('operations').description('look at operations and steer them')
  withTarget(operations.command('list', { isDefault: true }))
    .description('operations, newest first')
    .action(run(list))
  withTarget(operations.command('show').argument('<id>', 'operation', operationId))
    .description('one operation')
    .action(run(showOne))
  withTarget(operations.command('events').argument('<id>', 'operation', operationId))
    .description('what happened to an operation, by whom and why')
    .action(run(events))
  for (const verb of ['pause', 'resume', 'cancel'] as const) {
    withTarget(operations.command(verb).argument('[id]', 'operation (default: the one that runs)', operationId))
      .description(meaning[verb])
      .option('--reason <text>', 'why, kept with its events')
      .action(run((terminal, id: number | undefined, options: ActOptions) => act(verb, terminal, id, options)))
  }
  withTarget(operations.command('tune').argument('[id]', 'operation (default: the one that runs)', operationId))
    .description('change a running operation')
    .option('--batch-size <rows>', 'rows of one transaction', wholeNumber(1, 100_000))
    .option('--maximum-batch-seconds <seconds>', 'how long a batch may hold its locks, 0.001 to 5', decimal(0.001, 5))
    .option('--workers <number>', 'batches that are written at the same time, 1 to 32', wholeNumber(1, 32))
    .option('--nice-ratio <number>', 'seconds to rest for each second of work, 0 to 100', decimal(0, 100))
    .option(
      '--limit <name=value>',
      'a limit of the throttle: lockWaiters=2, =none, =file takes it back; repeatable',
      limit,
    )
    .action(run(tune))
}

const meaning = {
  pause: 'stop at the next safe point; nothing is lost',
  resume: 'go on from where it was paused',
  cancel: 'end it; what was done stays',
}

async function list(terminal: Terminal, options: CommonOptions): Promise<Exit> {
  const { target, output } = await openTarget(terminal, options)
  const all = await target.agent.operations(options.rollout)
  for (const operation of all) output.value(operation)
  if (all.length === 0) output.line(`There was no operation in ${target.environment} yet.`)
  else for (const line of columns([operationHead, ...all.map(operationRow)])) output.line(line)
  return Exit.done
}

async function showOne(terminal: Terminal, id: number, options: CommonOptions): Promise<Exit> {
  const { target, output } = await openTarget(terminal, options)
  show(output, await target.agent.operation(id))
  return Exit.done
}

async function events(terminal: Terminal, id: number, options: CommonOptions): Promise<Exit> {
  const { target, output } = await openTarget(terminal, options)
  const all = await target.agent.events(id)
  for (const event of all) output.value(event)
  const rows = all.map((event) => [
    event.at.slice(0, 19).replace('T', ' '),
    event.kind,
    event.actor.name,
    event.reason ? `${event.message} (${event.reason})` : event.message,
  ])
  for (const line of columns([['AT', 'KIND', 'BY', 'WHAT'], ...rows])) output.line(line)
  return Exit.done
}

async function act(
  verb: 'pause' | 'resume' | 'cancel',
  terminal: Terminal,
  id: number | undefined,
  options: ActOptions,
): Promise<Exit> {
  const { id: chosen, target, output } = await choose(terminal, id, options)
  show(output, await target.agent.act(chosen, verb, options.reason))
  return Exit.done
}

async function tune(terminal: Terminal, id: number | undefined, options: TuneOptions): Promise<Exit> {
  const { batchSize, maximumBatchSeconds, workers, niceRatio, limit: limits } = options
  const patch = { batchSize, maximumBatchSeconds, workers, niceRatio, limits }
  if (Object.values(patch).every((value) => value === undefined)) {
    throw usage('Say what to change: --batch-size, --maximum-batch-seconds, --workers, --nice-ratio or --limit.')
  }
  const { id: chosen, target, output } = await choose(terminal, id, options)
  show(output, await target.agent.tune(chosen, patch))
  return Exit.done
}

async function choose(terminal: Terminal, id: number | undefined, options: CommonOptions) {
  if (id !== undefined) return { id, ...(await openTarget(terminal, options)) }
  const opened = await openRollout(terminal, options)
  const running = opened.rollout.running
  if (!running) throw usage(`Nothing runs for ${opened.rollout.rollout} in ${opened.target.environment}.`)
  return { id: running.id, ...opened }
}

function show(output: Output, operation: Operation): void {
  output.value(operation)
  output.line(operationText(operation))
  if (operation.step && !operation.endedAt) output.line(`  ${operation.step}`)
}
