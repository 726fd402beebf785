import { parsePercentage } from '../argumentParsers.ts'
import { usageError, type ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandTarget, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import { selectRolloutName } from '../environmentTarget.ts'
import { openTargetToTurnOff, turnOffFlag } from '../turnOffFlag.ts'
import type { Terminal } from '../terminal.ts'

interface FlagCommandOptions extends RunOptions {
  readonly enable?: boolean
  readonly disable?: boolean
  readonly percentage?: number
  readonly ramp?: boolean
  readonly force?: boolean
}

export const registerFlag: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('flag')))
    .description('turn the flag on or off; off is never refused')
    .option('--enable', 'turn it on; refused before coverage is complete, finalized and validated')
    .option('--disable', 'turn it off')
    .option('--percentage <number>', 'of the targeting keys that get on, 0 to 100 (default: 100)', parsePercentage)
    .option('--ramp', 'go up by flag.ramp of the rollout file; each step is held for flag.hold and judged')
    .option('--force', 'enable in spite of a refusal; needs an admin token and --reason')
    .action(run(setFlag))
}

async function setFlag(terminal: Terminal, options: FlagCommandOptions): Promise<ExitCode> {
  requireConsistentOptions(options)
  const open = options.disable ? openTargetToTurnOff : openCommandTarget
  const { target, output } = await open(terminal, options)
  const rollout = selectRolloutName(target, options.rollout)
  const request = {
    kind: 'flag' as const,
    environment: target.environment,
    parameters: {
      enabled: options.enable === true,
      percentage: options.percentage,
      ramp: options.ramp,
      force: options.force,
    },
    reason: options.reason,
  }
  if (options.disable && !options.dryRun) return turnOffFlag(target, rollout, request, output, options)
  return exitCodeOfOperation(await runOperation(target, rollout, request, output, options), options.detach)
}

function requireConsistentOptions({
  enable,
  disable,
  percentage: share,
  ramp,
  force,
  reason,
}: FlagCommandOptions): void {
  if (enable === disable) throw usageError('Say one of --enable and --disable.')
  if (disable && share !== undefined) throw usageError('--percentage goes with --enable.')
  if (disable && ramp) throw usageError('--ramp goes with --enable.')
  if (ramp && share !== undefined)
    throw usageError('Say one of --ramp and --percentage: the steps are those of the file.')
  if (disable && force) throw usageError('--force goes with --enable; --disable is never refused.')
  if (force && !reason) throw usageError('--force needs --reason: it is kept with the operation.')
}
