import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Scope, type Operation } from '../../contract/index.ts'
import type { AgentClient, OperationInput } from '../client.ts'
import { confirmed, withConfirm, type ConfirmedOptions } from '../confirm.ts'
import { Exit, usage } from '../exit.ts'
import { askAny } from '../follow.ts'
import {
  exitOf,
  refuseUnlessAllowed,
  runOperation,
  showPreview,
  waitFor,
  withRun,
  type RunOptions,
} from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import { chooseName, type Target } from '../target.ts'
import { sayWhatItDid } from './monitoring.ts'
import type { Output, Terminal } from '../terminal.ts'
import { openToTurnOff, turnOff } from '../turnOff.ts'

/** How long the clients of the flag get to see it off. */
const CLIENTS_MS = 60_000

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

/**
 * Each scope that has something to take back, one after the other; the first that fails ends it. One that is under way
 * is waited for, and an agent that goes away meanwhile is waited for too: asked again it goes on where it stood.
 */
async function rollbackAll(terminal: Terminal, options: TypedOptions): Promise<Exit> {
  if (options.detach) throw usage('--detach does not go with all: each scope waits for the one before it.')
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  await confirmed(terminal, options, target, name, 'take back everything', async () => {
    for (const scope of Scope.options) await showPreview(target, name, requestOf(target, scope, name, options), output)
  })
  if (options.dryRun) {
    for (const scope of Scope.options) await showPreview(target, name, requestOf(target, scope, name, options), output)
    return Exit.done
  }
  const off = await turnOff(target, name, requestOf(target, 'flag', name, options), output, options)
  if (off !== Exit.done) return off
  for (const scope of Scope.options.filter((one) => one !== 'flag')) {
    const operation = await takeBack(target, name, scope, output, options)
    if (operation === null) {
      output.line(`${scope}: nothing to take back`)
      continue
    }
    sayWhatItDid(operation, output)
    if (operation.state !== 'succeeded') return Exit.failed
  }
  return Exit.done
}

/** The rollback of one scope as it ended; null: there is nothing to take back. */
async function takeBack(
  target: Target,
  name: string,
  scope: Scope,
  output: Output,
  options: TypedOptions,
): Promise<Operation | null> {
  const patient = <T>(ask: (agent: AgentClient) => Promise<T>): Promise<T> =>
    askAny(target.agents, ask, {
      line: output.note,
      stop: () => false,
      then: 'Ask again (sti rollback all): what is taken back is passed over.',
    })
  const operations = await patient((agent) => agent.operations(name))
  const underWay = operations.find(
    ({ kind, parameters, state }) =>
      kind === 'rollback' && parameters['scope'] === scope && ['queued', 'running'].includes(state),
  )
  if (underWay) return waitFor(target, underWay, output, options)
  const request = requestOf(target, scope, name, options)
  const { allowed, reasons } = await patient((agent) => agent.preview(name, request))
  if (!allowed && reasons.every((reason) => /there is nothing to take back/i.test(reason))) return null
  if (scope === 'data') await seenOff(name, patient, output)
  // With one key, so that it is started once however often it is asked for.
  const key = randomUUID()
  return waitFor(target, await patient((agent) => agent.start(name, request, key)), output, options)
}

/** Waits until no client may read by type any more; when one still may, the agent refuses by its name. */
async function seenOff(
  name: string,
  patient: <T>(ask: (agent: AgentClient) => Promise<T>) => Promise<T>,
  output: Output,
): Promise<void> {
  let named = ''
  for (const until = Date.now() + CLIENTS_MS; Date.now() < until; await pause(500)) {
    const { flag } = await patient((agent) => agent.rollout(name))
    const stale = flag.clients.filter((one) => one.stale).map((one) => one.client)
    if (flag.enabled || stale.length === 0) return
    const names = stale.join(', ')
    if (names !== named) output.note(`Waiting until these clients have seen the flag off: ${names}.`)
    named = names
  }
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
