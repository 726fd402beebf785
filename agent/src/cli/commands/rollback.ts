import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { RollbackScope, type Operation } from '../../contract/index.ts'
import type { AgentClient, OperationInput } from '../agentClient.ts'
import { requireConfirmation, addConfirmOptions, type ConfirmOptions } from '../confirmation.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { askAnyAgent } from '../followOperation.ts'
import {
  exitCodeOfOperation,
  refuseUnlessAllowed,
  runOperation,
  showPreview,
  waitForOperation,
  addRunOptions,
  type RunOptions,
} from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import { selectRolloutName, type EnvironmentTarget } from '../environmentTarget.ts'
import { printChanges } from './monitoring.ts'
import type { Output, Terminal } from '../terminal.ts'
import { openTargetToTurnOff, turnOffFlag } from '../turnOffFlag.ts'

/** How long the clients of the flag get to see it off. */
const CLIENT_TIMEOUT_MS = 60_000

interface ConfirmedRollbackOptions extends ConfirmOptions {
  readonly fullRollback?: boolean
  readonly force?: boolean
}

export const registerRollback: RegisterCommand = (program, run) => {
  const rollback = program
    .command('rollback')
    .description('take back the flag, the data, the system, enhanced monitoring, or all in order')
  addRunOptions(addTargetOptions(rollback.command('flag')))
    .description('turn the flag off; never refused')
    .action(run(rollbackFlag))
  addConfirmOptions(rollback.command('data'))
    .description('remove dual write and the type column; what legacy columns cannot express is archived first')
    .option('--full-rollback', 'also revert what else expand and finalize did')
    .action(run((terminal, options: ConfirmedRollbackOptions) => rollbackWithConfirmation('data', terminal, options)))
  addConfirmOptions(rollback.command('system'))
    .description('take back every journaled change, each checked against the catalog; begins with the data')
    .option('--force', 'also what somebody else has changed since (an admin, with --reason)')
    .action(run((terminal, options: ConfirmedRollbackOptions) => rollbackWithConfirmation('system', terminal, options)))
  addRunOptions(addTargetOptions(rollback.command('monitoring')))
    .description('switch enhanced monitoring off: what was there before is there again')
    .action(run(rollbackMonitoring))
  addConfirmOptions(rollback.command('all'))
    .description('flag, data, system and monitoring, in this order; what is not there is passed over')
    .action(run(rollbackAll))
}

async function rollbackMonitoring(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request: OperationInput = {
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'monitoring' },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

async function rollbackFlag(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const { target, output } = await openTargetToTurnOff(terminal, options)
  const rollout = selectRolloutName(target, options.rollout)
  const request: OperationInput = {
    kind: 'rollback',
    environment: target.environment,
    parameters: { scope: 'flag' },
    reason: options.reason,
  }
  if (!options.dryRun) return turnOffFlag(target, rollout, request, output, options)
  return exitCodeOfOperation(await runOperation(target, rollout, request, output, options), options.detach)
}

async function rollbackWithConfirmation(
  scope: 'data' | 'system',
  terminal: Terminal,
  options: ConfirmedRollbackOptions,
): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const name = rollout.rollout
  if (options.force && !options.reason) throw usageError('--force needs --reason: it is kept with the operation.')
  const request = rollbackRequest(target, scope, name, options)
  await requireConfirmation(terminal, options, target, name, `take back its ${scope}`, async () => {
    refuseUnlessAllowed(await showPreview(target, name, request, output))
  })
  const operation = await runOperation(target, name, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

/**
 * Each scope that has something to take back, one after the other; the first that fails ends it. One that is under way
 * is waited for, and an agent that goes away meanwhile is waited for too: asked again it goes on where it stood.
 */
async function rollbackAll(terminal: Terminal, options: ConfirmedRollbackOptions): Promise<ExitCode> {
  if (options.detach) throw usageError('--detach does not go with all: each scope waits for the one before it.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const name = rollout.rollout
  await requireConfirmation(terminal, options, target, name, 'take back everything', async () => {
    for (const scope of RollbackScope.options)
      await showPreview(target, name, rollbackRequest(target, scope, name, options), output)
  })
  if (options.dryRun) {
    for (const scope of RollbackScope.options)
      await showPreview(target, name, rollbackRequest(target, scope, name, options), output)
    return ExitCode.done
  }
  const flagExitCode = await turnOffFlag(target, name, rollbackRequest(target, 'flag', name, options), output, options)
  if (flagExitCode !== ExitCode.done) return flagExitCode
  for (const scope of RollbackScope.options.filter((other) => other !== 'flag')) {
    const operation = await rollbackScope(target, name, scope, output, options)
    if (operation === null) {
      output.line(`${scope}: nothing to take back`)
      continue
    }
    printChanges(operation, output)
    if (operation.state !== 'succeeded') return ExitCode.failed
  }
  return ExitCode.done
}

/** The rollback of one scope as it ended; null: there is nothing to take back. */
async function rollbackScope(
  target: EnvironmentTarget,
  name: string,
  scope: RollbackScope,
  output: Output,
  options: ConfirmedRollbackOptions,
): Promise<Operation | null> {
  const askPatiently = <T>(ask: (agent: AgentClient) => Promise<T>): Promise<T> =>
    askAnyAgent(target.agents, ask, {
      line: output.note,
      stop: () => false,
      then: 'Ask again (sti rollback all): what is taken back is passed over.',
    })
  const operations = await askPatiently((agent) => agent.operations(name))
  const active = operations.find(
    ({ kind, parameters, state }) =>
      kind === 'rollback' && parameters['scope'] === scope && ['queued', 'running'].includes(state),
  )
  if (active) return waitForOperation(target, active, output, options)
  const request = rollbackRequest(target, scope, name, options)
  const { allowed, reasons } = await askPatiently((agent) => agent.preview(name, request))
  if (!allowed && reasons.every((reason) => /there is nothing to take back/i.test(reason))) return null
  if (scope === 'data') await waitForClients(name, askPatiently, output)
  // With one key, so that it is started once however often it is asked for.
  const key = randomUUID()
  return waitForOperation(target, await askPatiently((agent) => agent.start(name, request, key)), output, options)
}

/** Waits until no client may read by type any more; when one still may, the agent refuses by its name. */
async function waitForClients(
  name: string,
  askPatiently: <T>(ask: (agent: AgentClient) => Promise<T>) => Promise<T>,
  output: Output,
): Promise<void> {
  let lastNames = ''
  for (const deadline = Date.now() + CLIENT_TIMEOUT_MS; Date.now() < deadline; await pause(500)) {
    const { flag } = await askPatiently((agent) => agent.rollout(name))
    const stale = flag.clients.filter((client) => client.stale).map((client) => client.client)
    if (flag.enabled || stale.length === 0) return
    const names = stale.join(', ')
    if (names !== lastNames) output.note(`Waiting until these clients have seen the flag off: ${names}.`)
    lastNames = names
  }
}

function rollbackRequest(
  target: EnvironmentTarget,
  scope: RollbackScope,
  rollout: string,
  { fullRollback, force, reason }: ConfirmedRollbackOptions,
): OperationInput {
  const needsConfirmation = scope === 'data' || scope === 'system'
  return {
    kind: 'rollback',
    environment: target.environment,
    parameters: {
      scope,
      ...(needsConfirmation ? { confirm: rollout } : {}),
      ...(scope === 'data' ? { full: fullRollback ?? false } : {}),
      ...(force ? { force } : {}),
    },
    reason,
  }
}
