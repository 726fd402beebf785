import { createHash } from 'node:crypto'
import type { Actor, OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { OperationRow } from './row.ts'

export interface NewOperation {
  readonly rollout: string
  readonly kind: OperationKind
  readonly parameters: Record<string, unknown>
  readonly fileHash: string
  readonly writesTable: boolean
  readonly actor: Actor
  readonly reason: string | null
  readonly idempotencyKey: string | null
  /** Of what was asked for, where the agent adds to the parameters. Default: of this. */
  readonly requestHash?: string
}

export class OperationConflict extends Error {
  readonly code = 'conflict'
}

/**
 * Accepts an operation: one guarded statement writes the row and its first event. The same idempotency key with the
 * same request answers the operation of the first time.
 * @throws OperationConflict when another one writes the table, or when the key was used for another request
 */
export async function insertOperation(
  sql: Sql,
  wanted: NewOperation,
): Promise<{ row: OperationRow; created: boolean }> {
  const hash = wanted.requestHash ?? requestHash(wanted)
  const [inserted] = await sql<OperationRow[]>`
    with inserted as (
      insert into sti.operation (rollout, kind, parameters, file_hash, writes_table, actor, reason, idempotency_key, request_hash)
      values (${wanted.rollout}, ${wanted.kind}, ${sql.json(wanted.parameters as never)}, ${wanted.fileHash}, ${wanted.writesTable},
        ${sql.json(wanted.actor)}, ${wanted.reason}, ${wanted.idempotencyKey}, ${hash})
      on conflict do nothing
      returning *
    ), event as (
      select sti.append_event(i.id, i.rollout, i.actor, 'state', i.kind || ' accepted', i.reason, null,
        jsonb_build_object('state', i.state, 'parameters', i.parameters)) from inserted i
    )
    select i.* from inserted i, event`
  if (inserted) return { row: inserted, created: true }
  const same = await earlierOperation(sql, wanted.rollout, wanted.idempotencyKey, hash)
  if (same) return { row: same, created: false }
  const [writer] = await sql<OperationRow[]>`
    select * from sti.operation where rollout = ${wanted.rollout} and writes_table
      and state not in ('cancelled', 'succeeded', 'failed')`
  throw new OperationConflict(
    writer
      ? `${capital(writer.kind)} ${writer.id} of ${writer.actor.name} is ${writer.state}: one operation at a time writes the table. Wait for it, or cancel it.`
      : 'The state changed while this was asked: look again, then ask again.',
  )
}

/**
 * The operation that this key was used for before, or null.
 * @throws OperationConflict when it was used for another request
 */
export async function earlierOperation(
  sql: Sql,
  rollout: string,
  idempotencyKey: string | null,
  hash: string,
): Promise<OperationRow | null> {
  const [same] = await sql<OperationRow[]>`
    select * from sti.operation where rollout = ${rollout} and idempotency_key = ${idempotencyKey}`
  if (!same) return null
  if (same.request_hash === hash) return same
  throw new OperationConflict(
    `This Idempotency-Key was used for ${same.kind} ${same.id} with another content: send the new request with a new key.`,
  )
}

export function requestHash(wanted: Pick<NewOperation, 'kind' | 'parameters' | 'reason'>): string {
  return createHash('sha256')
    .update(JSON.stringify([wanted.kind, sorted(wanted.parameters), wanted.reason]))
    .digest('hex')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
