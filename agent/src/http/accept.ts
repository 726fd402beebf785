import type { Operation, OperationRequest } from '../contract/index.ts'
import { enablingRefusals, unforceable } from '../operation/gate.ts'
import { earlierOperation, insertOperation, requestHash } from '../operation/request.ts'
import { readOperation, toOperation } from '../operation/row.ts'
import { rampFrom } from '../ramp/parameters.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { actorOf, demand } from './answers.ts'
import { demandEnvironment, kindOf, rightsOf, turnsOff } from './asked.ts'
import type { Caller } from './caller.ts'
import { demandLimits } from './limits.ts'
import type { Parts } from './parts.ts'
import { Refusal } from './problem.ts'

/** Accepts a request for an operation, or throws the Refusal that says what would have to be true. */
export async function accept(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  key: string,
): Promise<Operation> {
  rightsOf(request).forEach((right) => demand(parts, caller, right))
  demandEnvironment(parts, request.environment)
  if (turnsOff(request)) return await turnOff(parts, rollout, request, caller, key)
  parts.demandDatabase()
  const earlier = await earlierOperation(parts.database.state, rollout.name, key, hashOf(request))
  if (earlier) {
    await monitorToo(parts, rollout, request, caller, key)
    return toOperation(earlier)
  }
  if (request.kind === 'flag') {
    if (request.parameters.force && !request.reason)
      throw new Refusal('invalid-body', 'Forcing needs a reason.', ['reason: say why the gate is passed by'])
    return await (request.parameters.ramp ? ramp : enable)(parts, rollout, request, caller, key)
  }
  const parameters = request.parameters as Record<string, unknown>
  if (request.kind === 'rollback') demandConfirmed(rollout, request)
  if (request.kind === 'column-drop') demandName(rollout, request.parameters, 'The preparation of the column drop')
  if (request.kind === 'archive-removal') demandRemoval(rollout, request)
  if (request.kind === 'backfill') demandLimits(parts, rollout, caller, request.parameters.limits)
  const kind = kindOf(parts, request)
  const reasons = kind.refusals(await parts.facts(rollout), parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const writesTable = typeof kind.writesTable === 'function' ? kind.writesTable(parameters) : kind.writesTable
  const { row } = await insertOperation(parts.database.state, {
    rollout: rollout.name,
    kind: request.kind,
    parameters,
    fileHash: rollout.hash,
    writesTable,
    actor: actorOf(caller),
    reason: request.reason ?? null,
    idempotencyKey: key,
  })
  await monitorToo(parts, rollout, request, caller, key)
  parts.poke()
  return toOperation(row)
}

/** What takes much back is confirmed by the rollout's name, and force by a reason. @throws Refusal invalid-body */
function demandConfirmed(
  rollout: Rollout,
  { parameters, reason }: Extract<OperationRequest, { kind: 'rollback' }>,
): void {
  if (parameters.scope === 'data' || parameters.scope === 'system')
    demandName(rollout, parameters, `A rollback of the ${parameters.scope}`)
  if (parameters.force === true && !reason)
    throw new Refusal('invalid-body', 'Forcing needs a reason.', [
      'reason: say why what somebody else has changed is taken back too',
    ])
}

/** @throws Refusal invalid-body */
function demandName(rollout: Rollout, { confirm }: { confirm?: string | undefined }, what: string): void {
  if (confirm === rollout.name) return
  const reasons = [`parameters.confirm: type ${rollout.name}`]
  throw new Refusal('invalid-body', `${what} is confirmed by the rollout’s name.`, reasons)
}

/** What cannot be had back is confirmed by the rollout's name, and by a reason. @throws Refusal invalid-body */
function demandRemoval(
  rollout: Rollout,
  { parameters, reason }: Extract<OperationRequest, { kind: 'archive-removal' }>,
): void {
  demandName(rollout, parameters, 'Removing the archive')
  if (!reason)
    throw new Refusal('invalid-body', 'Removing the archive needs a reason.', ['reason: say why nobody needs it now'])
}

/** `--enable-monitoring` of a backfill is an operation of its own beside it, once however often it is asked for. */
async function monitorToo(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  key: string,
): Promise<void> {
  if (request.kind !== 'backfill' || !request.parameters.enableMonitoring) return
  if ((await parts.facts(rollout)).monitoring.enhanced) return
  await insertOperation(parts.database.state, {
    rollout: rollout.name,
    kind: 'monitoring',
    parameters: { enabled: true },
    fileHash: rollout.hash,
    writesTable: false,
    actor: actorOf(caller),
    reason: request.reason ?? null,
    idempotencyKey: `monitoring of ${key}`,
  })
}

const hashOf = (request: OperationRequest): string =>
  requestHash({
    kind: request.kind,
    parameters: request.parameters,
    reason: request.reason ?? null,
  })

async function enable(
  parts: Parts,
  rollout: Rollout,
  request: Extract<OperationRequest, { kind: 'flag' }>,
  caller: Caller,
  key: string,
): Promise<Operation> {
  const { percentage, force } = request.parameters
  const facts = await parts.facts(rollout)
  const reasons = force ? unforceable(facts) : enablingRefusals(facts)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const of = { idempotencyKey: key, requestHash: hashOf(request), force }
  const id = await parts.flags.change(
    rollout,
    { enabled: true, percentage },
    actorOf(caller),
    request.reason ?? null,
    of,
  )
  return toOperation((await readOperation(parts.database.state, id))!)
}

/** Queued, with the flag as it is now: whoever changes it from here on ends the ramp, also before its first step. */
async function ramp(
  parts: Parts,
  rollout: Rollout,
  request: Extract<OperationRequest, { kind: 'flag' }>,
  caller: Caller,
  key: string,
): Promise<Operation> {
  const facts = await parts.facts(rollout)
  const reasons = kindOf(parts, request).refusals(facts, request.parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const { row } = await insertOperation(parts.database.state, {
    rollout: rollout.name,
    kind: 'flag',
    fileHash: rollout.hash,
    writesTable: false,
    actor: actorOf(caller),
    reason: request.reason ?? null,
    idempotencyKey: key,
    requestHash: hashOf(request),
    parameters: { ...request.parameters, ...rampFrom(rollout, facts.flag) },
  })
  parts.poke()
  return toOperation(row)
}

/** No gate, no queue, and no database: off in memory first. */
async function turnOff(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
  key: string,
): Promise<Operation> {
  const kind = request.kind === 'rollback' ? 'rollback' : 'flag'
  const actor = actorOf(caller)
  const parameters = request.parameters as Record<string, unknown>
  const off = { kind, idempotencyKey: key, parameters, requestHash: hashOf(request) } as const
  const { persisted, operationId } = await parts.flags.turnOff(rollout, actor, request.reason ?? null, off)
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
    agent: parts.config.agent,
    persisted,
  }
}
