import { Option } from 'commander'
import type { Limits } from '../../contract/index.ts'
import { decimalParser, wholeNumberParser } from '../argumentParsers.ts'
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
      'most rows of one transaction (default: 1000 to begin with, then by feedback)',
      wholeNumberParser(1, 100_000),
    )
    .option(
      '--checkpoint-interval <batches>',
      'every Nth commit is flushed to disk (default: 100); a crash of the server repeats at most N batches',
      wholeNumberParser(1, 100_000),
    )
    .option(
      '--workers <number>',
      'batches that are written at the same time, 1 to 32 (default: 1)',
      wholeNumberParser(1, 32),
    )
    .option(
      '--agents <number>',
      'agents of this database that may write at the same time, 1 to 16, each with so many workers (default: 1)',
      wholeNumberParser(1, 16),
    )
    .option(
      '--nice-ratio <number>',
      'seconds to rest for each second of work, 0 to 100 (default: 0)',
      decimalParser(0, 100),
    )
    .option(
      '--maximum-batch-seconds <seconds>',
      'how long a batch may hold its locks, 0.001 to 5 (default: 0.1, and 0.01 with --nice-ratio)',
      decimalParser(0.001, 5),
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
