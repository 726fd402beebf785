import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RollbackScope, type Operation, type RolloutSummary } from '../../contract/index.ts'
import type { AgentClient } from '../agentClient.ts'
import { requireConfirmation, addConfirmOptions, type ConfirmOptions } from '../confirmation.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { requestAnyAgent } from '../followOperation.ts'
import { rollbackRequest, type RollbackOptions } from '../rollbackRequest.ts'
import {
  exitCodeOfOperation,
  refuseUnlessAllowed,
  runOperation,
  showPreview,
  waitForOperation,
  addRunOptions,
  type RunOptions,
} from '../runOperation.ts'
import { openCommandRollout, openOperationRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import { selectRolloutName, type EnvironmentTarget } from '../environmentTarget.ts'
import { printChanges } from './monitoring.ts'
import type { Output, Terminal } from '../terminal.ts'
import { openTargetToTurnOff, turnOffFlag } from '../turnOffFlag.ts'

/** The maximum time to wait until the flag's clients have received the change to off. */
const CLIENT_TIMEOUT_MS = 60_000

type RequestWithRetry = <T>(request: (agent: AgentClient) => Promise<T>) => Promise<T>

type ConfirmedRollbackOptions = ConfirmOptions & RollbackOptions

export const registerRollback: RegisterCommand = (program, run) => {
  const rollback = program
    .command('rollback')
    .description('Roll back the flag, the data, the system, enhanced monitoring, or all of them in order')
  addRunOptions(addTargetOptions(rollback.command('flag')))
    .description('Turn the flag off; never refused')
    .action(run(rollbackFlag))
  addConfirmOptions(rollback.command('data'))
    .description('Remove dual write and the type column; archives values that the legacy columns cannot express')
    .option('--full-rollback', 'Also revert all other changes of expand and finalize')
    .action(run((terminal, options: ConfirmedRollbackOptions) => rollbackWithConfirmation('data', terminal, options)))
  addConfirmOptions(rollback.command('system'))
    .description('Revert every journaled change, each checked against the catalog; rolls the data back first')
    .option('--force', 'Also overwrite changes made by others since then (requires an admin token and --reason)')
    .action(run((terminal, options: ConfirmedRollbackOptions) => rollbackWithConfirmation('system', terminal, options)))
  addRunOptions(addTargetOptions(rollback.command('monitoring')))
    .description('Turn enhanced monitoring off and restore the previous settings')
    .action(run(rollbackMonitoring))
  addConfirmOptions(rollback.command('all'))
    .description('Roll back flag, data, system and monitoring, in this order; skips what has nothing to roll back')
    .action(run(rollbackAll))
}

async function rollbackMonitoring(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request = rollbackRequest(target, 'monitoring', rollout.rollout, options)
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

async function rollbackFlag(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const { target, output } = await openTargetToTurnOff(terminal, options)
  const rollout = selectRolloutName(target, options.rollout)
  const request = rollbackRequest(target, 'flag', rollout, options)
  if (!options.dryRun) return turnOffFlag(target, rollout, request, output, options)
  return exitCodeOfOperation(await runOperation(target, rollout, request, output, options), options.detach)
}

async function rollbackWithConfirmation(
  scope: 'data' | 'system',
  terminal: Terminal,
  options: ConfirmedRollbackOptions,
): Promise<ExitCode> {
  const { target, rollout, output } = await openOperationRollout(terminal, options)
  const name = rollout.rollout
  if (options.force && !options.reason)
    throw usageError('--force requires --reason, which is recorded with the operation.')
  const request = rollbackRequest(target, scope, name, options)
  await requireConfirmation(terminal, options, target, name, `roll back its ${scope}`, async () => {
    refuseUnlessAllowed(await showPreview(target, name, request, output))
  })
  const operation = await runOperation(target, name, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

/**
 * Rolls back each scope in order and stops at the first failure. A rollback that is already running is followed instead
 * of started, and an agent that becomes unavailable is waited for, so that running the command again continues.
 */
export async function rollbackAll(terminal: Terminal, options: ConfirmedRollbackOptions): Promise<ExitCode> {
  if (options.detach)
    throw usageError('--detach cannot be combined with all, since each scope waits for the one before it.')
  const { target, rollout, output } = await openOperationRollout(terminal, options)
  const name = rollout.rollout
  await requireConfirmation(terminal, options, target, name, 'roll back everything', async () => {
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
      output.line(`${scope}: nothing to roll back`)
      continue
    }
    printChanges(operation, output)
    if (operation.state !== 'succeeded') return ExitCode.failed
  }
  return ExitCode.done
}

/** The ended rollback of one scope; null if there is nothing to roll back. */
async function rollbackScope(
  target: EnvironmentTarget,
  name: string,
  scope: RollbackScope,
  output: Output,
  options: ConfirmedRollbackOptions,
): Promise<Operation | null> {
  const requestWithRetry: RequestWithRetry = (request) =>
    requestAnyAgent(target.agents, request, {
      line: output.note,
      stop: () => false,
      advice: 'Run sti rollback all again: completed rollbacks are skipped.',
    })
  const operations = await requestWithRetry((agent) => agent.operations(name))
  const active = operations.find(
    ({ kind, parameters, state }) =>
      kind === 'rollback' && parameters['scope'] === scope && ['queued', 'running'].includes(state),
  )
  if (active) return waitForOperation(target, active, output, options)
  const request = rollbackRequest(target, scope, name, options)
  const { code } = await requestWithRetry((agent) => agent.preview(name, request))
  if (code === 'nothing-to-roll-back') return null
  const readFlag = (agent: AgentClient): Promise<Pick<RolloutSummary, 'flag'>> =>
    target.status.groups?.includes(name) === true ? agent.tables(name, 1) : agent.rollout(name)
  if (scope === 'data') await waitForClients(() => requestWithRetry(readFlag), output)
  // One key for all retries, so that the rollback starts once.
  const key = randomUUID()
  const started = await requestWithRetry((agent) => agent.start(name, request, key))
  return waitForOperation(target, started, output, options)
}

/** Waits until no client can read by type. After a minute, the agent refuses and names the clients that still can. */
async function waitForClients(readFlag: () => Promise<Pick<RolloutSummary, 'flag'>>, output: Output): Promise<void> {
  let lastNames = ''
  for (const deadline = Date.now() + CLIENT_TIMEOUT_MS; Date.now() < deadline; await delay(500)) {
    const { flag } = await readFlag()
    const stale = flag.clients.filter((client) => client.stale).map((client) => client.client)
    if (flag.enabled || stale.length === 0) return
    const names = stale.join(', ')
    if (names !== lastNames) output.note(`Waiting for these clients to receive the flag as off: ${names}.`)
    lastNames = names
  }
}
