import { BACKFILL_BOUNDS, type LimitsPatch, type Operation } from '../../contract/index.ts'
import { describeBounds, parameterParser, parseId } from '../argumentParsers.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { parseLimitOption } from '../limitOption.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import { waitAdvice } from '../explainWait.ts'
import type { Output, Terminal } from '../terminal.ts'
import { OPERATION_COLUMNS, formatOperationRow, formatOperation } from '../formatResponses.ts'

interface OperationActionOptions extends CommonOptions {
  readonly reason?: string
}

interface TuneOptions extends CommonOptions {
  readonly batchSize?: number
  readonly maximumBatchSeconds?: number
  readonly workers?: number
  readonly niceRatio?: number
  readonly limit?: LimitsPatch
}

export const registerOperations: RegisterCommand = (program, run) => {
  const operations = program.command('operations').description('List and control operations')
  addTargetOptions(operations.command('list', { isDefault: true }))
    .description('List operations, newest first')
    .action(run(listOperations))
  addTargetOptions(operations.command('show').argument('<id>', 'Operation ID', parseId))
    .description('Show one operation')
    .action(run(showOperation))
  addTargetOptions(operations.command('events').argument('<id>', 'Operation ID', parseId))
    .description('List the events of an operation: what happened, who did it and why')
    .action(run(listEvents))
  for (const verb of ['pause', 'resume', 'cancel'] as const) {
    addTargetOptions(
      operations.command(verb).argument('[id]', 'Operation ID (default: the running operation)', parseId),
    )
      .description(VERB_DESCRIPTIONS[verb])
      .option('--reason <text>', 'Reason, recorded with the operation’s events')
      .action(
        run((terminal, id: number | undefined, options: OperationActionOptions) =>
          performAction(verb, terminal, id, options),
        ),
      )
  }
  addTargetOptions(
    operations.command('tune').argument('[id]', 'Operation ID (default: the running operation)', parseId),
  )
    .description('Change the settings of a running backfill')
    .option(
      '--batch-size <rows>',
      `Maximum rows per transaction, ${describeBounds(BACKFILL_BOUNDS.batchSize)}`,
      parameterParser(BACKFILL_BOUNDS.batchSize),
    )
    .option(
      '--maximum-batch-seconds <seconds>',
      `Maximum time a batch holds its locks, ${describeBounds(BACKFILL_BOUNDS.maximumBatchSeconds)}`,
      parameterParser(BACKFILL_BOUNDS.maximumBatchSeconds),
    )
    .option(
      '--workers <number>',
      `Batches to write in parallel, ${BACKFILL_BOUNDS.workers.minimum} to ${BACKFILL_BOUNDS.workers.maximum}`,
      parameterParser(BACKFILL_BOUNDS.workers),
    )
    .option(
      '--nice-ratio <number>',
      `Seconds of rest per second of work, ${BACKFILL_BOUNDS.niceRatio.minimum} to ${BACKFILL_BOUNDS.niceRatio.maximum}`,
      parameterParser(BACKFILL_BOUNDS.niceRatio),
    )
    .option(
      '--limit <name=value>',
      'Override a throttle limit: lockWaiters=2, =none to disable, =file to restore the rollout file’s; repeatable',
      parseLimitOption,
    )
    .action(run(tuneOperation))
}

const VERB_DESCRIPTIONS = {
  pause: 'Pause at the next safe point; nothing is lost',
  resume: 'Resume a paused operation',
  cancel: 'Cancel an operation; completed work is kept',
}

async function listOperations(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const found = await target.agent.operations(options.rollout)
  for (const operation of found) output.value(operation)
  if (found.length === 0) output.line(`No operation has run in ${target.environment} yet.`)
  else output.table([OPERATION_COLUMNS, ...found.map(formatOperationRow)])
  return ExitCode.done
}

async function showOperation(terminal: Terminal, id: number, options: CommonOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  printOperation(output, await target.agent.operation(id))
  return ExitCode.done
}

async function listEvents(terminal: Terminal, id: number, options: CommonOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const events = await target.agent.events(id)
  for (const event of events) output.value(event)
  const rows = events.map((event) => [
    event.at.slice(0, 19).replace('T', ' '),
    event.kind,
    event.actor.name,
    event.reason ? `${event.message} (${event.reason})` : event.message,
  ])
  output.table([['TIME', 'KIND', 'ACTOR', 'EVENT'], ...rows])
  return ExitCode.done
}

async function performAction(
  verb: 'pause' | 'resume' | 'cancel',
  terminal: Terminal,
  id: number | undefined,
  options: OperationActionOptions,
): Promise<ExitCode> {
  const { id: chosen, target, output } = await chooseOperation(terminal, id, options)
  printOperation(output, await target.agent.act(chosen, verb, options.reason))
  return ExitCode.done
}

async function tuneOperation(terminal: Terminal, id: number | undefined, options: TuneOptions): Promise<ExitCode> {
  const { batchSize, maximumBatchSeconds, workers, niceRatio, limit: limits } = options
  const patch = { batchSize, maximumBatchSeconds, workers, niceRatio, limits }
  if (Object.values(patch).every((value) => value === undefined)) {
    throw usageError(
      'Specify what to change: --batch-size, --maximum-batch-seconds, --workers, --nice-ratio or --limit.',
    )
  }
  const { id: chosen, target, output } = await chooseOperation(terminal, id, options)
  printOperation(output, await target.agent.tune(chosen, patch))
  return ExitCode.done
}

async function chooseOperation(terminal: Terminal, id: number | undefined, options: CommonOptions) {
  if (id !== undefined) return { id, ...(await openCommandTarget(terminal, options)) }
  const opened = await openCommandRollout(terminal, options)
  const running = opened.rollout.running
  if (!running)
    throw usageError(`No operation of ${opened.rollout.rollout} is running in ${opened.target.environment}.`)
  return { id: running.id, ...opened }
}

function printOperation(output: Output, operation: Operation): void {
  output.value(operation)
  output.line(formatOperation(operation))
  if (operation.step && !operation.endedAt) output.line(`  ${operation.step}`)
  if (operation.state === 'paused') waitAdvice(operation).forEach((line) => output.line(line))
}
