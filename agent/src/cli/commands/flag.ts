import { parsePercentage } from '../argumentParsers.ts'
import { usageError, type ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, noteWarnings, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
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
    .description('Turn the flag on or off; turning it off is never refused')
    .option('--enable', 'Turn the flag on; refused until the rollout is covered, finalized and validated')
    .option('--disable', 'Turn the flag off')
    .option(
      '--percentage <number>',
      'Percentage of targeting keys that get the flag on, 0 to 100 (default: 100)',
      parsePercentage,
    )
    .option('--ramp', 'Ramp up in the steps of flag.ramp; each step is watched for flag.hold and evaluated')
    .option('--force', 'Turn the flag on despite a refusal (requires an admin token and --reason)')
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
  if (options.enable && !options.dryRun) await noteWarnings(target, rollout, request, output)
  return exitCodeOfOperation(await runOperation(target, rollout, request, output, options), options.detach)
}

function requireConsistentOptions({ enable, disable, percentage, ramp, force, reason }: FlagCommandOptions): void {
  if (enable === disable) throw usageError('Use either --enable or --disable.')
  if (disable && percentage !== undefined) throw usageError('--percentage requires --enable.')
  if (disable && ramp) throw usageError('--ramp requires --enable.')
  if (ramp && percentage !== undefined)
    throw usageError('Use either --ramp or --percentage: a ramp uses the steps of the rollout file.')
  if (disable && force) throw usageError('--force requires --enable. --disable is never refused.')
  if (force && !reason) throw usageError('--force requires --reason, which is recorded with the operation.')
}
