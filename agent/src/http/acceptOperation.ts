import type { Operation, OperationRequest } from '../contract/index.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'
import { findByIdempotencyKey, insertOperation, hashOperationRequest } from '../operation/insertOperation.ts'
import { readOperation, toOperation } from '../operation/operationRow.ts'
import { createRampParameters } from '../ramp/rampParameters.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { toActor, requireRight } from './routeHelpers.ts'
import { requireEnvironment, requireKind, requiredRights, turnsFlagOff } from './requestRights.ts'
import type { Caller } from '../rights/caller.ts'
import { requireLimitRights } from './limitRights.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'

/** Accepts a request for an operation, or throws the Refusal that says what would have to be true. */
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
    await enableRequestedMonitoring(deps, rollout, request, caller, idempotencyKey)
    return toOperation(existing)
  }
  if (request.kind === 'flag') {
    if (request.parameters.force && !request.reason)
      throw new Refusal('invalid-body', 'Forcing needs a reason.', ['reason: say why the gate is passed by'])
    return await (request.parameters.ramp ? queueRamp : enableFlag)(deps, rollout, request, caller, idempotencyKey)
  }
  const parameters = request.parameters as Record<string, unknown>
  if (request.kind === 'rollback') requireRollbackConfirmation(rollout, request)
  if (request.kind === 'column-drop')
    requireNameConfirmation(rollout, request.parameters, 'The preparation of the column drop')
  if (request.kind === 'archive-removal') requireArchiveRemovalConfirmation(rollout, request)
  if (request.kind === 'backfill') requireLimitRights(deps, rollout, caller, request.parameters.limits)
  const kind = requireKind(deps, request)
  const reasons = kind.refusals(await deps.facts(rollout), parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const writesTable = typeof kind.writesTable === 'function' ? kind.writesTable(parameters) : kind.writesTable
  const { row } = await insertOperation(deps.database.state, {
    rollout: rollout.name,
    kind: request.kind,
    parameters,
    fileHash: rollout.hash,
    writesTable,
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey,
  })
  await enableRequestedMonitoring(deps, rollout, request, caller, idempotencyKey)
  deps.wakeRunner()
  return toOperation(row)
}

/** What takes much back is confirmed by the rollout's name, and force by a reason. @throws Refusal invalid-body */
function requireRollbackConfirmation(
  rollout: Rollout,
  { parameters, reason }: Extract<OperationRequest, { kind: 'rollback' }>,
): void {
  if (parameters.scope === 'data' || parameters.scope === 'system')
    requireNameConfirmation(rollout, parameters, `A rollback of the ${parameters.scope}`)
  if (parameters.force === true && !reason)
    throw new Refusal('invalid-body', 'Forcing needs a reason.', [
      'reason: say why what somebody else has changed is taken back too',
    ])
}

/** @throws Refusal invalid-body */
function requireNameConfirmation(
  rollout: Rollout,
  { confirm }: { confirm?: string | undefined },
  subject: string,
): void {
  if (confirm === rollout.name) return
  const reasons = [`parameters.confirm: type ${rollout.name}`]
  throw new Refusal('invalid-body', `${subject} is confirmed by the rollout’s name.`, reasons)
}

/** What cannot be had back is confirmed by the rollout's name, and by a reason. @throws Refusal invalid-body */
function requireArchiveRemovalConfirmation(
  rollout: Rollout,
  { parameters, reason }: Extract<OperationRequest, { kind: 'archive-removal' }>,
): void {
  requireNameConfirmation(rollout, parameters, 'Removing the archive')
  if (!reason)
    throw new Refusal('invalid-body', 'Removing the archive needs a reason.', ['reason: say why nobody needs it now'])
}

/** `--enable-monitoring` of a backfill is an operation of its own beside it, once however often it is asked for. */
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
    writesTable: false,
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey: `monitoring of ${backfillKey}`,
  })
}

const requestHashOf = (request: OperationRequest): string =>
  hashOperationRequest({
    kind: request.kind,
    parameters: request.parameters,
    reason: request.reason ?? null,
  })

async function enableFlag(
  deps: ApiDependencies,
  rollout: Rollout,
  request: Extract<OperationRequest, { kind: 'flag' }>,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  const { percentage, force } = request.parameters
  const facts = await deps.facts(rollout)
  const reasons = force ? unforceableRefusals(facts) : enableRefusals(facts)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
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

/** Queued, with the flag as it is now: whoever changes it from here on ends the ramp, also before its first step. */
async function queueRamp(
  deps: ApiDependencies,
  rollout: Rollout,
  request: Extract<OperationRequest, { kind: 'flag' }>,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  const facts = await deps.facts(rollout)
  const reasons = requireKind(deps, request).refusals(facts, request.parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const { row } = await insertOperation(deps.database.state, {
    rollout: rollout.name,
    kind: 'flag',
    fileHash: rollout.hash,
    writesTable: false,
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey,
    requestHash: requestHashOf(request),
    parameters: { ...request.parameters, ...createRampParameters(rollout, facts.flag) },
  })
  deps.wakeRunner()
  return toOperation(row)
}

/** No gate, no queue, and no database: off in memory first. */
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
  // Answered from what is known: reading the row back could wait for a database that has just gone.
  const now = new Date().toISOString()
  return {
    id: operationId ?? 0,
    rollout: rollout.name,
    kind,
    state: 'succeeded',
    parameters,
    fileHash: rollout.hash,
    actor,
    reason: request.reason ?? null,
    createdAt: now,
    startedAt: now,
    endedAt: now,
    step: null,
    progress: null,
    result: null,
    errorCode: null,
    error: null,
    agent: deps.config.agent,
    persisted,
  }
}
