import type { OperationInput } from '../client.ts'
import { CliError, Exit, usage } from '../exit.ts'
import { exitOf, refuseUnlessAllowed, runOperation, showPreview, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, openTarget, withTarget, type Register } from '../session.ts'
import { chooseRollout } from '../target.ts'
import { sayWhatItDid } from './monitoring.ts'
import { ask, interactive, type Terminal } from '../terminal.ts'
import { turnOff } from '../turnOff.ts'

interface DataOptions extends RunOptions {
  readonly fullRollback?: boolean
  readonly confirm?: string
}

export const registerRollback: Register = (program, run) => {
  const rollback = program.command('rollback').description('take back the flag, the data, or enhanced monitoring')
  withRun(withTarget(rollback.command('flag')))
    .description('turn the flag off; never refused')
    .action(run(rollbackFlag))
  withRun(withTarget(rollback.command('data')))
    .description('remove dual write and the type column; what legacy columns cannot express is archived first')
    .option('--full-rollback', 'also revert what else expand and finalize did')
    .option('--confirm <rollout>', "the rollout's name, instead of typing it when asked")
    .action(run(rollbackData))
  withRun(withTarget(rollback.command('monitoring')))
    .description('switch enhanced monitoring off: what was there before is there again')
    .action(run(rollbackMonitoring))
}

async function rollbackMonitoring(terminal: Terminal, options: RunOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const request: OperationInput = {
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'monitoring' },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  sayWhatItDid(operation, output)
  return exitOf(operation, options.detach)
}

async function rollbackFlag(terminal: Terminal, options: RunOptions): Promise<Exit> {
  const { target, output } = await openTarget(terminal, options)
  const rollout = options.rollout ?? (await chooseRollout(target, undefined)).rollout
  const request: OperationInput = {
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'flag' },
    reason: options.reason,
  }
  if (!options.dryRun) return turnOff(target, rollout, request, output, options)
  return exitOf(await runOperation(target, rollout, request, output, options), options.detach)
}

async function rollbackData(terminal: Terminal, options: DataOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  if (options.confirm !== undefined && options.confirm !== name) {
    throw usage(`--confirm must be the rollout's name, ${name}; nothing was done.`)
  }
  const request = (confirm?: string): OperationInput => ({
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'data', full: options.fullRollback ?? false, confirm },
    reason: options.reason,
  })
  if (options.confirm === undefined && !options.dryRun) {
    if (!interactive(terminal)) throw usage(`Without a terminal to ask on, this needs --confirm ${name}.`)
    refuseUnlessAllowed(await showPreview(target, name, request(name), output))
    const typed = await ask(terminal, `Type ${name} to take back its data in ${target.environment}: `)
    if (typed !== name) throw new CliError(Exit.refused, 'not-confirmed', 'That is not its name; nothing was done.')
  }
  return exitOf(await runOperation(target, name, request(name), output, options), options.detach)
}
