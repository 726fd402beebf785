import { Option } from 'commander'
import { BACKFILL_BOUNDS, DEFAULT_MAXIMUM_BATCH_SECONDS, type Limits } from '../../contract/index.ts'
import { describeBounds, parameterParser } from '../argumentParsers.ts'
import type { ExitCode } from '../exitCode.ts'
import { parseInitialLimitOption } from '../limitOption.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface BackfillOptions extends RunOptions {
  readonly batchSize?: number
  readonly checkpointInterval?: number
  readonly workers?: number
  readonly agents?: number
  readonly niceRatio?: number
  readonly maximumBatchSeconds?: number
  readonly limit?: Limits
  readonly enableMonitoring?: boolean
  readonly rollbackOnError?: true | 'data'
}

export const registerBackfill: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('backfill')))
    .description('write the type of every row, in small transactions that can stop and go on')
    .option(
      '--batch-size <rows>',
      `rows per transaction, at most, ${describeBounds(BACKFILL_BOUNDS.batchSize)} (default: 1000 at first, then adjusted to the measured durations)`,
      parameterParser(BACKFILL_BOUNDS.batchSize),
    )
    .option(
      '--checkpoint-interval <batches>',
      `flush every Nth commit to disk, ${describeBounds(BACKFILL_BOUNDS.checkpointInterval)}; a crash of the server repeats at most N batches`,
      parameterParser(BACKFILL_BOUNDS.checkpointInterval),
    )
    .option(
      '--workers <number>',
      `batches that are written at the same time, ${describeBounds(BACKFILL_BOUNDS.workers)}`,
      parameterParser(BACKFILL_BOUNDS.workers),
    )
    .option(
      '--agents <number>',
      `agents that may write at the same time, each with this many workers, ${describeBounds(BACKFILL_BOUNDS.agents)}`,
      parameterParser(BACKFILL_BOUNDS.agents),
    )
    .option(
      '--nice-ratio <number>',
      `seconds of rest per second of work, ${describeBounds(BACKFILL_BOUNDS.niceRatio)}`,
      parameterParser(BACKFILL_BOUNDS.niceRatio),
    )
    .option(
      '--maximum-batch-seconds <seconds>',
      `how long a batch may hold its locks, ${describeBounds(BACKFILL_BOUNDS.maximumBatchSeconds)} (default: ${DEFAULT_MAXIMUM_BATCH_SECONDS.withoutRest}, or ${DEFAULT_MAXIMUM_BATCH_SECONDS.withRest} with --nice-ratio)`,
      parameterParser(BACKFILL_BOUNDS.maximumBatchSeconds),
    )
    .option(
      '--limit <name=value>',
      'a limit of the throttle instead of the rollout file’s: lockWaiters=2, slotRetainedBytes.abort=none; repeatable',
      parseInitialLimitOption,
    )
    .option(
      '--enable-monitoring',
      'switch enhanced monitoring on, and keep a reading of the progress in the operation’s events every 5 s',
    )
    .addOption(
      new Option(
        '--rollback-on-error [what]',
        'on a critical error turn the flag off; "data" also takes the data back',
      ).choices(['data']),
    )
    .option('--progress-reporting', 'lines about progress also where there is no terminal')
    .action(run(runBackfill))
}

async function runBackfill(terminal: Terminal, options: BackfillOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { batchSize, checkpointInterval, workers, agents, niceRatio, maximumBatchSeconds, limit: limits } = options
  const { enableMonitoring, rollbackOnError } = options
  const pacing = { batchSize, checkpointInterval, workers, agents, niceRatio, maximumBatchSeconds, limits }
  const request = {
    kind: 'backfill' as const,
    environment: target.environment,
    parameters: { ...pacing, enableMonitoring, rollbackOnError },
    reason: options.reason,
  }
  return exitCodeOfOperation(await runOperation(target, rollout.rollout, request, output, options), options.detach)
}
