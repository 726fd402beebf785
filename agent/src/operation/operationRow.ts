import type { Actor, Operation, OperationKind, OperationState, OperationProgress } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

/** One row of sti.operation. */
export interface OperationRow {
  readonly id: bigint
  readonly rollout: string
  readonly kind: OperationKind
  readonly state: OperationState
  readonly parameters: Record<string, unknown>
  readonly file_hash: string
  readonly derivation_hash: string
  readonly writes_table: boolean
  readonly actor: Actor
  readonly reason: string | null
  readonly idempotency_key: string | null
  readonly request_hash: string
  readonly step: string | null
  readonly progress: OperationProgress | null
  readonly result: Record<string, unknown> | null
  readonly error_code: string | null
  readonly error: string | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly ended_at: Date | null
  readonly worked_seconds: number
  readonly agent: string | null
  readonly claim: string | null
  readonly epoch: bigint
  readonly lease_until: Date | null
}

export function toOperation(row: OperationRow): Operation {
  return {
    id: Number(row.id),
    rollout: row.rollout,
    kind: row.kind,
    state: row.state,
    parameters: row.parameters,
    fileHash: row.file_hash,
    derivationHash: row.derivation_hash,
    actor: row.actor,
    reason: row.reason,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
    workedSeconds: row.worked_seconds,
    step: row.step,
    progress: row.progress,
    result: row.result,
    errorCode: row.error_code,
    error: row.error,
    agent: row.agent,
    persisted: true,
  }
}

export async function readOperation(sql: Sql, id: bigint | number): Promise<OperationRow | null> {
  const [row] = await sql<OperationRow[]>`select * from sti.operation where id = ${BigInt(id)}`
  return row ?? null
}

export async function listOperations(sql: Sql, rollout: string | null, limit: number): Promise<OperationRow[]> {
  return await sql<OperationRow[]>`
    select * from sti.operation where ${rollout}::text is null or rollout = ${rollout} order by id desc limit ${limit}`
}
