import type postgres from 'postgres'
import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

/** A flag change to write: an operation that already succeeded, the new state, and one event. */
export interface FlagChange {
  readonly rollout: string
  readonly fileHash: string
  readonly derivationHash: string
  readonly kind: 'flag' | 'rollback'
  readonly enabled: boolean
  readonly percentage: number
  readonly actor: Actor
  readonly reason: string | null
  readonly parameters: Readonly<Record<string, unknown>>
  readonly idempotencyKey: string
  readonly requestHash: string
  readonly message: string
  /** Written only if the flag still has this version; null: any version. */
  readonly expectedVersion: number | null
  /** Since when it is served, if that was before the write; ISO 8601. */
  readonly servedSince: string | null
  readonly agent: string
}

export interface FlagState {
  readonly enabled: boolean
  readonly percentage: number
  readonly version: number
  readonly changedAt: Date
  readonly changedBy: Actor | null
}

export type FlagWriteResult =
  | { readonly kind: 'written'; readonly operationId: number; readonly state: FlagState }
  /** The same request was already written. `last`: the flag has not changed since. */
  | { readonly kind: 'earlier'; readonly operationId: number; readonly state: FlagState | null; readonly last: boolean }
  /** The idempotency key belongs to another request. */
  | { readonly kind: 'other-request'; readonly operationId: number }
  /** The flag changed since the caller read it. */
  | { readonly kind: 'changed-meanwhile' }

interface FlagWriteRow {
  operation_id: number | null
  earlier_id: number | null
  earlier_hash: string | null
  state: FlagStateRow | null
}

interface FlagStateRow {
  enabled: boolean
  percentage: number
  version: number
  changed_at: string
  changed_by: Actor | null
  operation_id: number | null
}

/**
 * One statement, and so one transaction: the change is atomic, and repeating it with the same idempotency key has no
 * further effect. `before` locks the row of the flag first, so that concurrent changes get consecutive versions.
 */
export async function writeFlagChange(sql: Sql, change: FlagChange): Promise<FlagWriteResult> {
  try {
    const written = await attemptWrite(sql, change)
    // The statement waited for another change, possibly for the same request, which its snapshot could not see.
    return written.kind === 'changed-meanwhile' ? await attemptWrite(sql, change) : written
  } catch (error) {
    // The same request ran concurrently and committed first, so a second attempt finds it.
    if (error instanceof Error && 'code' in error && error.code === '23505') return attemptWrite(sql, change)
    throw error
  }
}

async function attemptWrite(sql: Sql, change: FlagChange): Promise<FlagWriteResult> {
  const json = (value: unknown): postgres.Parameter => sql.json(value as postgres.JSONValue)
  const [row] = await sql<FlagWriteRow[]>`
    with earlier as (
      select id, request_hash from sti.operation
      where rollout = ${change.rollout} and idempotency_key = ${change.idempotencyKey}
    ), before as (
      select enabled, percentage, version from sti.flag where rollout = ${change.rollout} for update
    ), operation as (
      insert into sti.operation (rollout, kind, state, parameters, file_hash, derivation_hash, writes_table, actor, reason,
        idempotency_key, request_hash, started_at, ended_at, agent)
      select ${change.rollout}, ${change.kind}, 'succeeded', ${json(change.parameters)}, ${change.fileHash}, ${change.derivationHash}, false,
        ${json(change.actor)}, ${change.reason}::text, ${change.idempotencyKey}, ${change.requestHash},
        clock_timestamp(), clock_timestamp(), ${change.agent}
      where not exists (select from earlier)
        and coalesce(${change.expectedVersion}::bigint = coalesce((select version from before), 0), true)
      returning id
    ), flag as (
      insert into sti.flag as f (rollout, enabled, percentage, version, changed_at, changed_by, operation_id)
      select ${change.rollout}, ${change.enabled}, ${change.percentage}::numeric, coalesce(before.version, 0) + 1,
        clock_timestamp(), ${json(change.actor)}, operation.id
      from operation left join before on true
      on conflict (rollout) do update set enabled = excluded.enabled, percentage = excluded.percentage,
        version = f.version + 1, changed_at = excluded.changed_at, changed_by = excluded.changed_by,
        operation_id = excluded.operation_id
      returning enabled, percentage, version, changed_at, changed_by, operation_id
    ), event as (
      select sti.append_event(operation.id, ${change.rollout}, ${json(change.actor)}, 'flag', ${change.message},
        ${change.reason}::text, to_jsonb(before),
        jsonb_strip_nulls(jsonb_build_object('enabled', flag.enabled, 'percentage', flag.percentage,
          'version', flag.version, 'servedSince', ${change.servedSince}::text))) as id
      from operation cross join flag left join before on true
    )
    select (select id from operation)::float8 as operation_id,
      (select id from earlier)::float8 as earlier_id,
      (select request_hash from earlier) as earlier_hash,
      (select id from event)::float8 as event_id,
      coalesce((select to_jsonb(flag) from flag),
        (select to_jsonb(f) from sti.flag f where f.rollout = ${change.rollout})) as state`
  if (!row) throw new Error('The statement of a flag change returned no row.')
  const state = row.state ? toFlagState(row.state) : null
  if (row.operation_id !== null && state) return { kind: 'written', operationId: row.operation_id, state }
  if (row.earlier_id === null) return { kind: 'changed-meanwhile' }
  if (row.earlier_hash !== change.requestHash) return { kind: 'other-request', operationId: row.earlier_id }
  return { kind: 'earlier', operationId: row.earlier_id, state, last: row.state?.operation_id === row.earlier_id }
}

export function toFlagState(row: FlagStateRow): FlagState {
  return {
    enabled: row.enabled,
    percentage: Number(row.percentage),
    version: Number(row.version),
    changedAt: new Date(row.changed_at),
    changedBy: row.changed_by,
  }
}

/** The state of the flag of each rollout; a new rollout gets a row that is off. */
export async function readFlagStates(sql: Sql, rollouts: readonly string[]): Promise<Map<string, FlagState>> {
  const names = sql.json([...rollouts])
  const readExisting = async (): Promise<Map<string, FlagState>> => {
    const rows = await sql<{ rollout: string; state: FlagStateRow }[]>`
      select rollout, to_jsonb(f) as state from sti.flag f
      where rollout in (select jsonb_array_elements_text(${names}))`
    return new Map(rows.map((row) => [row.rollout, toFlagState(row.state)]))
  }
  const existing = await readExisting()
  if (rollouts.every((name) => existing.has(name))) return existing
  await sql`insert into sti.flag (rollout) select jsonb_array_elements_text(${names}) on conflict do nothing`
  return readExisting()
}
