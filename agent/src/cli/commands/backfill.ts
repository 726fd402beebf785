import { Option } from 'commander'
import { BACKFILL_BOUNDS, DEFAULT_MAXIMUM_BATCH_SECONDS, type Limits } from '../../contract/index.ts'
import { describeBounds, parameterParser } from '../argumentParsers.ts'
import type { ExitCode } from '../exitCode.ts'
import { parseInitialLimitOption } from '../limitOption.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions, noteWarnings } from '../runOperation.ts'
import { openOperationRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
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
    .description('Write the type of every row in small transactions; can be paused and resumed')
    .option(
      '--batch-size <rows>',
      `Maximum rows per transaction, ${describeBounds(BACKFILL_BOUNDS.batchSize)} (default: starts at 1000, then adjusts automatically)`,
      parameterParser(BACKFILL_BOUNDS.batchSize),
    )
    .option(
      '--checkpoint-interval <batches>',
      `Flush every Nth commit to disk, ${describeBounds(BACKFILL_BOUNDS.checkpointInterval)}; a server crash repeats at most N batches`,
      parameterParser(BACKFILL_BOUNDS.checkpointInterval),
    )
    .option(
      '--workers <number>',
      `Batches to write in parallel, ${describeBounds(BACKFILL_BOUNDS.workers)}`,
      parameterParser(BACKFILL_BOUNDS.workers),
    )
    .option(
      '--agents <number>',
      `Agents that may write in parallel, each with this many workers, ${describeBounds(BACKFILL_BOUNDS.agents)}`,
      parameterParser(BACKFILL_BOUNDS.agents),
    )
    .option(
      '--nice-ratio <number>',
      `Seconds of rest per second of work, ${describeBounds(BACKFILL_BOUNDS.niceRatio)}`,
      parameterParser(BACKFILL_BOUNDS.niceRatio),
    )
    .option(
      '--maximum-batch-seconds <seconds>',
      `Maximum time a batch holds its locks, ${describeBounds(BACKFILL_BOUNDS.maximumBatchSeconds)} (default: ${DEFAULT_MAXIMUM_BATCH_SECONDS.withoutRest}, or ${DEFAULT_MAXIMUM_BATCH_SECONDS.withRest} with --nice-ratio)`,
      parameterParser(BACKFILL_BOUNDS.maximumBatchSeconds),
    )
    .option(
      '--limit <name=value>',
      'Override a throttle limit of the rollout file: lockWaiters=2, slotRetainedBytes.abort=none; repeatable',
      parseInitialLimitOption,
    )
    .option(
      '--enable-monitoring',
      'Turn enhanced monitoring on and record the progress in the operation’s events every 5 s',
    )
    .addOption(
      new Option(
        '--rollback-on-error [what]',
        'On a critical error, turn the flag off; "data" also rolls the data back',
      ).choices(['data']),
    )
    .option('--progress-reporting', 'Print progress every 5 s, even without a terminal')
    .action(run(runBackfill))
}

async function runBackfill(terminal: Terminal, options: BackfillOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openOperationRollout(terminal, options)
  const { batchSize, checkpointInterval, workers, agents, niceRatio, maximumBatchSeconds, limit: limits } = options
  const { enableMonitoring, rollbackOnError } = options
  const pacing = { batchSize, checkpointInterval, workers, agents, niceRatio, maximumBatchSeconds, limits }
  const request = {
    kind: 'backfill' as const,
    environment: target.environment,
    parameters: { ...pacing, enableMonitoring, rollbackOnError },
    reason: options.reason,
  }
  if (enableMonitoring === true && options.dryRun !== true) {
    const monitoring = { kind: 'monitoring' as const, environment: target.environment, parameters: { enabled: true } }
    await noteWarnings(target, rollout.rollout, monitoring, output)
  }
  return exitCodeOfOperation(await runOperation(target, rollout.rollout, request, output, options), options.detach)
}
