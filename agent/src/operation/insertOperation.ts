import { createHash } from 'node:crypto'
import { operationName, type Actor, type OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import type { OperationRow } from './operationRow.ts'

export interface NewOperation {
  readonly rollout: string
  readonly kind: OperationKind
  readonly parameters: Record<string, unknown>
  readonly fileHash: string
  readonly derivationHash: string
  readonly writesTable: boolean
  readonly actor: Actor
  readonly reason: string | null
  readonly idempotencyKey: string | null
  /** Hash of the original request, if the agent added parameters. Default: hash of this operation. */
  readonly requestHash?: string
}

export class OperationConflict extends Error {
  readonly code = 'conflict'
}

/**
 * Accepts an operation: one guarded statement writes the row and its first event. A repeated request with the same
 * idempotency key returns the existing operation.
 * @throws OperationConflict if another operation writes the table, or the key was used for another request
 */
export async function insertOperation(
  sql: Sql,
  operation: NewOperation,
): Promise<{ row: OperationRow; created: boolean }> {
  const hash = operation.requestHash ?? hashOperationRequest(operation)
  const [inserted] = await sql<OperationRow[]>`
    with inserted as (
      insert into sti.operation (rollout, kind, parameters, file_hash, derivation_hash, writes_table, actor, reason, idempotency_key, request_hash)
      values (${operation.rollout}, ${operation.kind}, ${sql.json(operation.parameters as never)}, ${operation.fileHash}, ${operation.derivationHash},
        ${operation.writesTable},
        ${sql.json(operation.actor)}, ${operation.reason}, ${operation.idempotencyKey}, ${hash})
      on conflict do nothing
      returning *
    ), event as (
      select sti.append_event(i.id, i.rollout, i.actor, 'state', i.kind || ' accepted', i.reason, null,
        jsonb_build_object('state', i.state, 'parameters', i.parameters)) from inserted i
    )
    select i.* from inserted i, event`
  if (inserted) return { row: inserted, created: true }
  const existing = await findByIdempotencyKey(sql, operation.rollout, operation.idempotencyKey, hash)
  if (existing) return { row: existing, created: false }
  const [writer] = await sql<OperationRow[]>`
    select * from sti.operation where rollout = ${operation.rollout} and writes_table
      and state not in ${endedStates(sql)}`
  throw new OperationConflict(
    writer
      ? `${operationName(writer)} of ${writer.actor.name} is ${writer.state}: only one operation at a time can write the table. Wait for it, or cancel it.`
      : 'The state changed during the request: check it, then send the request again.',
  )
}

/**
 * The operation with this idempotency key, or null.
 * @throws OperationConflict if the key was used for another request
 */
export async function findByIdempotencyKey(
  sql: Sql,
  rollout: string,
  idempotencyKey: string | null,
  hash: string,
): Promise<OperationRow | null> {
  const [existing] = await sql<OperationRow[]>`
    select * from sti.operation where rollout = ${rollout} and idempotency_key = ${idempotencyKey}`
  if (!existing) return null
  if (existing.request_hash === hash) return existing
  throw new OperationConflict(
    `This Idempotency-Key was used for ${operationName(existing)} with different content: send the new request with a new key.`,
  )
}

export function hashOperationRequest(operation: Pick<NewOperation, 'kind' | 'parameters' | 'reason'>): string {
  return createHash('sha256')
    .update(JSON.stringify([operation.kind, sortKeys(operation.parameters), operation.reason]))
    .digest('hex')
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
