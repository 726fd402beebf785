import {
  OPERATION_ACTIONS,
  requestedAction,
  requiredRights,
  writesTable,
  type Operation,
  type OperationRequest,
} from '../contract/index.ts'
import { findByIdempotencyKey, insertOperation, hashOperationRequest } from '../operation/insertOperation.ts'
import { readOperation, toOperation } from '../operation/operationRow.ts'
import { requireInEffect } from '../operation/supersededOperation.ts'
import { createRampParameters } from '../ramp/rampParameters.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { toActor, requireRight } from './routeHelpers.ts'
import { requireEnvironment, turnsFlagOff } from './requestRights.ts'
import type { Caller } from '../rights/caller.ts'
import { requireLimitRights } from './limitRights.ts'
import type { ApiDependencies } from './dependencies.ts'
import { requireApplicationWithinLimits, requireOperationPossible, requireRequestPossible } from './previewOperation.ts'
import { Refusal } from './problem.ts'

/** Accepts a request for an operation. @throws Refusal with the conditions that must be met first */
export async function acceptOperation(
  deps: ApiDependencies,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  requiredRights(request).forEach((right) => requireRight(deps, caller, right))
  requireEnvironment(deps, request.environment)
  if (turnsFlagOff(request)) return await turnFlagOff(deps, rollout, request, caller, idempotencyKey)
  deps.requireDatabase()
  const existing = await findByIdempotencyKey(deps.database.state, rollout.name, idempotencyKey, requestHashOf(request))
  if (existing) {
    await requireInEffect(deps.database.state, existing)
    await enableRequestedMonitoring(deps, rollout, request, caller, idempotencyKey)
    return toOperation(existing)
  }
  requireConfirmation(rollout, request)
  if (request.kind === 'backfill') requireLimitRights(deps, rollout, caller, request.parameters.limits)
  const parameters = request.parameters as Record<string, unknown>
  const facts = await deps.facts(rollout)
  requireOperationPossible(deps.kinds[request.kind], facts, parameters)
  requireApplicationWithinLimits(deps, facts, request)
  await requireRequestPossible(deps, facts, request.kind, parameters)
  if (request.kind === 'flag' && !request.parameters.ramp)
    return await enableFlag(deps, rollout, request, caller, idempotencyKey)
  const { row } = await insertOperation(deps.database.state, {
    rollout: rollout.name,
    kind: request.kind,
    // A ramp pins the current state of the flag: a later change by anyone else ends the ramp, even before its first
    // step.
    parameters: request.kind === 'flag' ? { ...parameters, ...createRampParameters(rollout, facts.flag) } : parameters,
    fileHash: rollout.hash,
    derivationHash: rollout.derivationHash,
    writesTable: writesTable({ kind: request.kind, parameters }),
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey,
    requestHash: requestHashOf(request),
  })
  await enableRequestedMonitoring(deps, rollout, request, caller, idempotencyKey)
  deps.wakeRunner()
  return toOperation(row)
}

/**
 * Checks the name of the rollout and the reason, where the declaration of the action requires them. `force` always
 * requires a reason.
 * @throws Refusal invalid-body
 */
export function requireConfirmation(rollout: Rollout, request: OperationRequest): void {
  const { title, confirmByName, reason } = OPERATION_ACTIONS[requestedAction(request)]
  const parameters = request.parameters as Record<string, unknown>
  if (confirmByName && parameters['confirm'] !== rollout.name)
    throw new Refusal('invalid-body', `“${title(rollout.name)}” must be confirmed with the name of the rollout.`, [
      `parameters.confirm: type ${rollout.name}`,
    ])
  if (request.reason) return
  if (parameters['force'] === true)
    throw new Refusal('invalid-body', 'A forced operation requires a reason.', ['reason: say why it must be forced'])
  if (reason === 'required')
    throw new Refusal('invalid-body', `“${title(rollout.name)}” requires a reason.`, ['reason: say why it is safe'])
}

/** `enableMonitoring` of a backfill starts a monitoring operation alongside it, once per backfill. */
async function enableRequestedMonitoring(
  deps: ApiDependencies,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  backfillKey: string,
): Promise<void> {
  if (request.kind !== 'backfill' || !request.parameters.enableMonitoring) return
  if ((await deps.facts(rollout)).monitoring.enhanced) return
  await insertOperation(deps.database.state, {
    rollout: rollout.name,
    kind: 'monitoring',
    parameters: { enabled: true },
    fileHash: rollout.hash,
    derivationHash: rollout.derivationHash,
    writesTable: false,
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey: `monitoring of ${backfillKey}`,
  })
}

export const requestHashOf = (request: OperationRequest): string =>
  hashOperationRequest({
    kind: request.kind,
    parameters: request.parameters,
    reason: request.reason ?? null,
  })

export async function enableFlag(
  deps: ApiDependencies,
  rollout: Rollout,
  request: Extract<OperationRequest, { kind: 'flag' }>,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  const { percentage, force } = request.parameters
  const flagRequest = { idempotencyKey, requestHash: requestHashOf(request), force }
  const id = await deps.flags.change(
    rollout,
    { enabled: true, percentage },
    toActor(caller),
    request.reason ?? null,
    flagRequest,
  )
  return toOperation((await readOperation(deps.database.state, id))!)
}

/** Turns the flag off in memory first: without prerequisites, queue, or database. */
async function turnFlagOff(
  deps: ApiDependencies,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  const kind = request.kind === 'rollback' ? 'rollback' : 'flag'
  const actor = toActor(caller)
  const parameters = request.parameters as Record<string, unknown>
  const turnOffRequest = {
    kind,
    idempotencyKey,
    parameters,
    requestHash: requestHashOf(request),
  } as const
  const { persisted, operationId } = await deps.flags.turnOff(rollout, actor, request.reason ?? null, turnOffRequest)
  // Composed from known values: reading the row could block on a database that has just become unavailable.
  const now = new Date().toISOString()
  return {
    id: operationId ?? 0,
    rollout: rollout.name,
    kind,
    state: 'succeeded',
    parameters,
    fileHash: rollout.hash,
    derivationHash: rollout.derivationHash,
    actor,
    reason: request.reason ?? null,
    createdAt: now,
    startedAt: now,
    endedAt: now,
    workedSeconds: 0,
    step: null,
    progress: null,
    result: null,
    errorCode: null,
    error: null,
    agent: deps.config.agent,
    persisted,
  }
}
