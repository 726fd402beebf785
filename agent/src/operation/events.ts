import type { Actor, OperationEvent } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

export interface OperationEventRow {
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

export interface NewOperationEvent {
  readonly operationId: bigint | null
  readonly rollout: string
  readonly actor: Actor
  readonly kind: string
  readonly message: string
  readonly reason?: string | null
  readonly before?: unknown
  readonly after?: unknown
}

export async function appendEvent(sql: Sql, event: NewOperationEvent): Promise<void> {
  await sql`select sti.append_event(${event.operationId}, ${event.rollout}, ${sql.json(event.actor)}, ${event.kind},
    ${event.message}, ${event.reason ?? null}, ${sql.json((event.before ?? null) as never)}, ${sql.json((event.after ?? null) as never)})`
}

/** Events after `after`, oldest first, at most 500. */
export async function readEvents(
  sql: Sql,
  filter: { operationId?: bigint; rollout?: string; after?: bigint; since?: Date },
): Promise<OperationEventRow[]> {
  return await sql<OperationEventRow[]>`
    select * from sti.operation_event
    where id > ${filter.after ?? 0n}
      ${filter.operationId === undefined ? sql`` : sql`and operation_id = ${filter.operationId}`}
      ${filter.rollout === undefined ? sql`` : sql`and rollout = ${filter.rollout}`}
      ${filter.since === undefined ? sql`` : sql`and at >= ${filter.since}`}
    order by id limit 500`
}

export function toOperationEvent(row: OperationEventRow): OperationEvent {
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
