import {
  judgesRows,
  requiredRights,
  writesTable,
  type Operation,
  type OperationPreview,
  type OperationRequest,
  type ValidationLayer,
} from '../contract/index.ts'
import { readPromotionGate } from '../evidence/promotionGate.ts'
import { groupEnableRefusals } from '../group/groupFlag.ts'
import { FLAG_IS_ON } from '../group/groupActions.ts'
import { GROUP_KINDS, isGroupKind } from '../group/childWork.ts'
import { findByIdempotencyKey, insertOperation } from '../operation/insertOperation.ts'
import { toOperation } from '../operation/operationRow.ts'
import { requireInEffect } from '../operation/supersededOperation.ts'
import type { Caller } from '../rights/caller.ts'
import { findTables, type FoundTables } from '../rollout/findTables.ts'
import type { RolloutGroup } from '../rollout/rolloutGroup.ts'
import { acceptOperation, enableFlag, requestHashOf, requireConfirmation } from './acceptOperation.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { requireEnvironment, turnsFlagOff } from './requestRights.ts'
import { requireRight, toActor } from './routeHelpers.ts'

/** Accepts a request for an operation in every table of a group. @throws Refusal with what must be true first */
export async function acceptGroupOperation(
  deps: ApiDependencies,
  group: RolloutGroup,
  request: OperationRequest,
  caller: Caller,
  idempotencyKey: string,
): Promise<Operation> {
  // One flag: turning it off is the same as for one table.
  if (turnsFlagOff(request)) return await acceptOperation(deps, group.rollout, request, caller, idempotencyKey)
  requiredRights(request).forEach((right) => requireRight(deps, caller, right))
  requireEnvironment(deps, request.environment)
  deps.requireDatabase()
  const requestHash = requestHashOf(request)
  const { state } = deps.database
  const existing = await findByIdempotencyKey(state, group.name, idempotencyKey, requestHash)
  if (existing) {
    await requireInEffect(state, existing)
    return toOperation(existing)
  }
  requireConfirmation(group.rollout, request)
  const refusals = await findGroupRefusals(deps, group, request, await readTables(deps, group))
  if (refusals.length > 0) throw new Refusal(refusalCode(request), refusals[0]!, refusals)
  if (request.kind === 'flag') return await enableFlag(deps, group.rollout, request, caller, idempotencyKey)
  const { kind } = request
  const parameters = request.parameters as Record<string, unknown>
  const { row } = await insertOperation(state, {
    rollout: group.name,
    kind,
    parameters,
    fileHash: group.hash,
    derivationHash: group.derivationHash,
    writesTable: writesTable({ kind, parameters }),
    actor: toActor(caller),
    reason: request.reason ?? null,
    idempotencyKey,
    requestHash,
  })
  deps.wakeRunner()
  return toOperation(row)
}

/** What the request would do in how many tables, and what refuses it now. Changes nothing. */
export async function previewGroupOperation(
  deps: ApiDependencies,
  group: RolloutGroup,
  request: OperationRequest,
): Promise<OperationPreview> {
  requireEnvironment(deps, request.environment)
  const found = await readTables(deps, group)
  const reasons = turnsFlagOff(request) ? [] : await findGroupRefusals(deps, group, request, found)
  return {
    kind: request.kind,
    environment: deps.config.environment,
    rollout: group.name,
    allowed: reasons.length === 0,
    reasons,
    code: reasons.length === 0 ? null : refusalCode(request),
    rows: null,
    estimatedSeconds: null,
    estimateBasis: null,
    estimatedWalBytes: null,
    statements: [],
    notes: [
      request.kind === 'flag' || turnsFlagOff(request)
        ? 'The flag is one for all tables.'
        : `Runs in each of ${found.tables.length} tables; a table that is already there is left out.`,
    ],
    warnings: [],
  }
}

/** A rollback is refused only if there is nothing that it could roll back. */
const refusalCode = ({ kind }: OperationRequest): 'nothing-to-roll-back' | 'refused' =>
  kind === 'rollback' ? 'nothing-to-roll-back' : 'refused'

/** The tables that the file names now. */
export async function readTables({ database }: ApiDependencies, group: RolloutGroup): Promise<FoundTables> {
  const sql = database.engine({ purpose: 'tables' })
  try {
    return await findTables(sql, group)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function findGroupRefusals(
  deps: ApiDependencies,
  group: RolloutGroup,
  request: OperationRequest,
  found: FoundTables,
): Promise<string[]> {
  const { kind } = request
  const promotion = await readPromotionGate({ ...deps.config, state: deps.database.state }, group.rollout)
  const promotionReasons = promotion?.promoted === false ? promotion.reasons : []
  if (kind === 'flag') {
    if (request.parameters.ramp) return ['A ramp needs a file with one table. Turn the flag on without --ramp.']
    const forced = request.parameters.force
    const reasons = await groupEnableRefusals(deps.database.state, group, found, forced)
    return forced ? reasons : [...reasons, ...promotionReasons]
  }
  if (!isGroupKind(kind))
    return [
      `A rollout with several tables has the operations ${GROUP_KINDS.join(', ')} and flag. Run ${kind} for a file with one table.`,
    ]
  // What was changed can always be rolled back.
  if (kind === 'rollback')
    return request.parameters.scope === 'monitoring'
      ? ['Enhanced monitoring is not available with several tables, so there is nothing to roll back.']
      : []
  const flag = deps.flags.status(group.name)
  return [
    ...found.faults,
    ...(kind === 'backfill' && promotion?.backfillToo === true ? promotionReasons : []),
    ...(kind === 'backfill' && flag.enabled ? [FLAG_IS_ON] : []),
    ...(kind === 'validation' ? unjudgedLayerRefusals(request.parameters) : []),
    ...(kind === 'backfill' && request.parameters.rollbackOnError === 'data'
      ? ['With several tables, a failed table is not rolled back automatically. Leave rollbackOnError out.']
      : []),
  ]
}

/** These layers judge the service and the server, not a table; without `layers`, they are left out. */
function unjudgedLayerRefusals({
  layers = [],
}: {
  readonly layers?: readonly ValidationLayer[] | undefined
}): string[] {
  const unjudged = layers.filter((layer) => !judgesRows(layer))
  if (unjudged.length === 0) return []
  return [
    `The layers of a validation of several tables are integrity and business. Leave ${unjudged.join(' and ')} out.`,
  ]
}
