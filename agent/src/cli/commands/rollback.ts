import { Scope } from '../../contract/index.ts'
import type { OperationInput } from '../client.ts'
import { confirmed, withConfirm, type ConfirmedOptions } from '../confirm.ts'
import { Exit, usage } from '../exit.ts'
import { exitOf, refuseUnlessAllowed, runOperation, showPreview, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import { chooseName, type Target } from '../target.ts'
import { sayWhatItDid } from './monitoring.ts'
import type { Terminal } from '../terminal.ts'
import { openToTurnOff, turnOff } from '../turnOff.ts'

interface TypedOptions extends ConfirmedOptions {
  readonly fullRollback?: boolean
  readonly force?: boolean
}

export const registerRollback: Register = (program, run) => {
  const rollback = program
    .command('rollback')
    .description('take back the flag, the data, the system, enhanced monitoring, or all in order')
  withRun(withTarget(rollback.command('flag')))
    .description('turn the flag off; never refused')
    .action(run(rollbackFlag))
  withConfirm(rollback.command('data'))
    .description('remove dual write and the type column; what legacy columns cannot express is archived first')
    .option('--full-rollback', 'also revert what else expand and finalize did')
    .action(run((terminal, options: TypedOptions) => rollbackTyped('data', terminal, options)))
  withConfirm(rollback.command('system'))
    .description('take back every journaled change, each checked against the catalog; begins with the data')
    .option('--force', 'also what somebody else has changed since (an admin, with --reason)')
    .action(run((terminal, options: TypedOptions) => rollbackTyped('system', terminal, options)))
  withRun(withTarget(rollback.command('monitoring')))
    .description('switch enhanced monitoring off: what was there before is there again')
    .action(run(rollbackMonitoring))
  withConfirm(rollback.command('all'))
    .description('flag, data, system and monitoring, in this order; what is not there is passed over')
    .action(run(rollbackAll))
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
  const { target, output } = await openToTurnOff(terminal, options)
  const rollout = chooseName(target, options.rollout)
  const request: OperationInput = {
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'flag' },
    reason: options.reason,
  }
  if (!options.dryRun) return turnOff(target, rollout, request, output, options)
  return exitOf(await runOperation(target, rollout, request, output, options), options.detach)
}

async function rollbackTyped(scope: 'data' | 'system', terminal: Terminal, options: TypedOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  if (options.force && !options.reason) throw usage('--force needs --reason: it is kept with the operation.')
  const request = requestOf(target, scope, name, options)
  await confirmed(terminal, options, target, name, `take back its ${scope}`, async () => {
    refuseUnlessAllowed(await showPreview(target, name, request, output))
  })
  const operation = await runOperation(target, name, request, output, options)
  sayWhatItDid(operation, output)
  return exitOf(operation, options.detach)
}

/** Each scope that has something to take back, one after the other; the first that fails ends it. */
async function rollbackAll(terminal: Terminal, options: TypedOptions): Promise<Exit> {
  if (options.detach) throw usage('--detach does not go with all: each scope waits for the one before it.')
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  await confirmed(terminal, options, target, name, 'take back everything', async () => {
    for (const scope of Scope.options) await showPreview(target, name, requestOf(target, scope, name, options), output)
  })
  if (!options.dryRun) {
    const off = await turnOff(target, name, requestOf(target, 'flag', name, options), output, options)
    if (off !== Exit.done) return off
  }
  for (const scope of Scope.options) {
    const request = requestOf(target, scope, name, options)
    if (options.dryRun) {
      await showPreview(target, name, request, output)
      continue
    }
    if (scope === 'flag') continue
    const { allowed, reasons } = await target.agent.preview(name, request)
    if (!allowed && reasons.every((reason) => /there is nothing to take back/i.test(reason))) {
      output.line(`${scope}: nothing to take back`)
      continue
    }
    const operation = await runOperation(target, name, request, output, options)
    sayWhatItDid(operation, output)
    if (operation?.state !== 'succeeded') return Exit.failed
  }
  return Exit.done
}

function requestOf(
  target: Target,
  scope: Scope,
  rollout: string,
  { fullRollback, force, reason }: TypedOptions,
): OperationInput {
  const typed = scope === 'data' || scope === 'system'
  return {
    kind: 'rollback',
    environment: target.environment,
    parameters: {
      scope,
      ...(typed ? { confirm: rollout } : {}),
      ...(scope === 'data' ? { full: fullRollback ?? false } : {}),
      ...(force ? { force } : {}),
    },
    reason,
  }
}
