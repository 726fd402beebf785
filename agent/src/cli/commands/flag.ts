import { percentage } from '../arguments.ts'
import { usage, type Exit } from '../exit.ts'
import { exitOf, runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openTarget, withTarget, type Register } from '../session.ts'
import { chooseName } from '../target.ts'
import { openToTurnOff, turnOff } from '../turnOff.ts'
import type { Terminal } from '../terminal.ts'

interface FlagOptions extends RunOptions {
  readonly enable?: boolean
  readonly disable?: boolean
  readonly percentage?: number
  readonly ramp?: boolean
  readonly force?: boolean
}

export const registerFlag: Register = (program, run) => {
  withRun(withTarget(program.command('flag')))
    .description('turn the flag on or off; off is never refused')
    .option('--enable', 'turn it on; refused before coverage is complete, finalized and validated')
    .option('--disable', 'turn it off')
    .option('--percentage <number>', 'of the targeting keys that get on, 0 to 100 (default: 100)', percentage)
    .option('--ramp', 'go up by flag.ramp of the rollout file; each step is held for flag.hold and judged')
    .option('--force', 'enable in spite of a refusal; needs an admin token and --reason')
    .action(run(flag))
}

async function flag(terminal: Terminal, options: FlagOptions): Promise<Exit> {
  checkOptions(options)
  const open = options.disable ? openToTurnOff : openTarget
  const { target, output } = await open(terminal, options)
  const rollout = chooseName(target, options.rollout)
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
  if (options.disable && !options.dryRun) return turnOff(target, rollout, request, output, options)
  return exitOf(await runOperation(target, rollout, request, output, options), options.detach)
}

function checkOptions({ enable, disable, percentage: share, ramp, force, reason }: FlagOptions): void {
  if (enable === disable) throw usage('Say one of --enable and --disable.')
  if (disable && share !== undefined) throw usage('--percentage goes with --enable.')
  if (disable && ramp) throw usage('--ramp goes with --enable.')
  if (ramp && share !== undefined) throw usage('Say one of --ramp and --percentage: the steps are those of the file.')
  if (disable && force) throw usage('--force goes with --enable; --disable is never refused.')
  if (force && !reason) throw usage('--force needs --reason: it is kept with the operation.')
}
