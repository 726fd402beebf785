import type { Operation, OperationRequest, Preview } from '../contract/index.ts'
import { RollbackParameters } from '../contract/index.ts'
import type { Kind } from '../engine/kind.ts'
import { enablingRefusals, ENABLING_NOTES } from '../operation/gate.ts'
import { insertOperation, requestHash } from '../operation/request.ts'
import { readOperation, toOperation, type OperationRow } from '../operation/row.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { actorOf, demand } from './answers.ts'
import type { Caller } from './caller.ts'
import type { Parts } from './parts.ts'
import { Refusal } from './problem.ts'
import type { Right } from './rights.ts'

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
  const earlier = await sameRequest(parts, rollout, request, key)
  if (earlier) return toOperation(earlier)
  if (request.kind === 'flag') return await enable(parts, rollout, request, caller, key)
  const parameters = request.parameters as Record<string, unknown>
  if (request.kind === 'rollback' && RollbackParameters.parse(parameters).confirm !== rollout.name) {
    throw new Refusal('invalid-body', 'A rollback of the data is confirmed by the rollout’s name.', [
      `parameters.confirm: type ${rollout.name}`,
    ])
  }
  const kind = kindOf(parts, request)
  const reasons = kind.refusals(await parts.facts(rollout), parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  const { row } = await insertOperation(parts.database.state, {
    ...{ rollout: rollout.name, kind: request.kind, parameters, fileHash: rollout.hash, writesTable: kind.writesTable },
    ...{ actor: actorOf(caller), reason: request.reason ?? null, idempotencyKey: key },
  })
  parts.poke()
  return toOperation(row)
}

/** What the request would do, and what refuses it now. Nothing is changed. */
export async function preview(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
): Promise<Preview> {
  demandEnvironment(parts, request.environment)
  const facts = await parts.facts(rollout)
  const empty = { rows: null, estimatedSeconds: null, estimatedWalBytes: null, statements: [], notes: [] }
  const base = { ...empty, kind: request.kind, environment: parts.config.environment, rollout: rollout.name }
  const rights = rightsOf(request).flatMap((right) => refusalOf(() => demand(parts, caller, right)))
  if (request.kind === 'flag' || turnsOff(request)) {
    const enabling = request.kind === 'flag' && request.parameters.enabled
    const gate = enabling && !request.parameters.force ? enablingRefusals(facts) : []
    const reasons = [...rights, ...gate]
    const clients = facts.flag.clients.length
    const seen = facts.flag.lastPropagationSeconds
    return {
      ...base,
      ...{ allowed: reasons.length === 0, reasons, rows: 0, estimatedWalBytes: 0, estimatedSeconds: seen },
      notes: [
        `The flag is ${facts.flag.enabled ? `on for ${facts.flag.percentage} %` : 'off'}; ${clients} client${clients === 1 ? '' : 's'} asked for it lately.`,
        ...(enabling ? ENABLING_NOTES : ['Off at once; clients see it when they ask next.']),
      ],
    }
  }
  const parameters = request.parameters as Record<string, unknown>
  const kind = kindOf(parts, request)
  const reasons = [...rights, ...kind.refusals(facts, parameters)]
  const numbers =
    facts.table === null
      ? {}
      : await kind.preview({ database: parts.database, rollout, table: facts.table, facts }, parameters)
  return { ...base, ...numbers, allowed: reasons.length === 0, reasons }
}

function rightsOf(request: OperationRequest): Right[] {
  switch (request.kind) {
    case 'flag':
      if (!request.parameters.enabled) return ['disable']
      return ['enable', ...(request.parameters.force ? (['force'] as const) : [])]
    case 'rollback':
      return [request.parameters.scope === 'flag' ? 'rollback-flag' : 'rollback-data']
    case 'backfill':
      return ['backfill', ...(request.parameters.rollbackOnError === 'data' ? (['rollback-data'] as const) : [])]
    default:
      return [request.kind]
  }
}

function turnsOff(request: OperationRequest): boolean {
  if (request.kind === 'flag') return !request.parameters.enabled
  return request.kind === 'rollback' && request.parameters.scope === 'flag'
}

function demandEnvironment(parts: Parts, environment: string): void {
  if (environment === parts.config.environment) return
  throw new Refusal(
    'wrong-environment',
    `This agent serves ${parts.config.environment}; the request is for ${environment}. Nothing was done.`,
  )
}

function kindOf(parts: Parts, request: OperationRequest): Kind {
  const kind = parts.kinds.find((one) => one.kind === request.kind)
  if (kind === undefined) throw new Refusal('not-found', `This agent knows no operation ${request.kind}.`)
  return kind
}

async function sameRequest(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  key: string,
): Promise<OperationRow | null> {
  const [row] = await parts.database.state<OperationRow[]>`
    select * from sti.operation where rollout = ${rollout.name} and idempotency_key = ${key}`
  if (!row) return null
  if (row.request_hash === hashOf(request)) return row
  throw new Refusal(
    'conflict',
    `This Idempotency-Key was used for ${row.kind} ${row.id} with another content: send the new request with a new key.`,
  )
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
  if (force && !request.reason)
    throw new Refusal('invalid-body', 'Forcing needs a reason.', ['reason: say why the gate is passed by'])
  if (!force) {
    const reasons = enablingRefusals(await parts.facts(rollout))
    if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
  }
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
  const row = operationId === null ? null : await readOperation(parts.database.state, operationId).catch(() => null)
  if (row) return toOperation(row)
  const now = new Date().toISOString()
  return {
    ...{
      id: operationId ?? 0,
      rollout: rollout.name,
      kind,
      state: 'succeeded',
      parameters,
      fileHash: rollout.hash,
      actor,
    },
    ...{ reason: request.reason ?? null, createdAt: now, startedAt: now, endedAt: now, step: null, progress: null },
    ...{ result: null, errorCode: null, error: null, agent: parts.config.agent, persisted },
  }
}

function refusalOf(ask: () => void): string[] {
  try {
    ask()
    return []
  } catch (error) {
    if (error instanceof Refusal) return [error.message]
    throw error
  }
}
