import type { Actor, OperationEvent } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

export interface EventRow {
  readonly id: bigint
  readonly operation_id: bigint | null
  readonly rollout: string
  readonly at: Date
  readonly actor: Actor
  readonly kind: string
  readonly message: string
  readonly reason: string | null
  readonly before: unknown
  readonly after: unknown
  readonly hash: string
}

export interface NewEvent {
  readonly operationId: bigint | null
  readonly rollout: string
  readonly actor: Actor
  readonly kind: string
  readonly message: string
  readonly reason?: string | null
  readonly before?: unknown
  readonly after?: unknown
}

export async function appendEvent(sql: Sql, event: NewEvent): Promise<void> {
  await sql`select sti.append_event(${event.operationId}, ${event.rollout}, ${sql.json(event.actor)}, ${event.kind},
    ${event.message}, ${event.reason ?? null}, ${sql.json((event.before ?? null) as never)}, ${sql.json((event.after ?? null) as never)})`
}

/** Events after `after` in their order, at most 500. */
export async function readEvents(
  sql: Sql,
  of: { operationId?: bigint; rollout?: string; after?: bigint; since?: Date },
): Promise<EventRow[]> {
  return await sql<EventRow[]>`
    select * from sti.operation_event
    where id > ${of.after ?? 0n}
      ${of.operationId === undefined ? sql`` : sql`and operation_id = ${of.operationId}`}
      ${of.rollout === undefined ? sql`` : sql`and rollout = ${of.rollout}`}
      ${of.since === undefined ? sql`` : sql`and at >= ${of.since}`}
    order by id limit 500`
}

export function toEvent(row: EventRow): OperationEvent {
  return {
    id: Number(row.id),
    operationId: row.operation_id === null ? null : Number(row.operation_id),
    rollout: row.rollout,
    at: row.at.toISOString(),
    actor: row.actor,
    kind: row.kind,
    message: row.message,
    reason: row.reason,
    before: row.before,
    after: row.after,
    hash: row.hash,
  }
}
