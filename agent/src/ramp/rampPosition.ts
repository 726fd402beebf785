import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RampParameters } from './rampParameters.ts'

/** The position of a ramp, from the row of the flag and the changes made by the ramp. */
export interface RampPosition {
  /** Index of the last step that was set; -1: none yet. */
  readonly index: number
  /** Operation that set it; null: none yet. */
  readonly operationId: number | null
  /** Version of the flag after that step, or at the start of the ramp. */
  readonly version: number
}

interface RampPositionRow {
  readonly index: number
  readonly change: number | null
  readonly made: number | null
  readonly version: number
  readonly enabled: boolean
  readonly percentage: number
  readonly changed_by: Actor | null
  readonly reason: string | null
}

export const stepIdempotencyKey = (ramp: bigint | number, index: number): string => `ramp ${ramp} step ${index + 1}`

export type RampLookup = { readonly position: RampPosition } | { readonly superseded: string }

/** Reads the position of a ramp, or who changed the flag since: then the ramp has ended. */
export async function lookUpRampPosition(
  sql: Sql,
  ramp: { readonly id: bigint; readonly rollout: string },
  { steps, fromVersion }: RampParameters,
): Promise<RampLookup> {
  const keys = steps.map((_, index) => stepIdempotencyKey(ramp.id, index))
  const [row] = await sql<RampPositionRow[]>`
    with step as (
      select o.id, array_position(array(select jsonb_array_elements_text(${sql.json(keys)}::jsonb)), o.idempotency_key) - 1 as index,
        (select (e.after->>'version')::float8 from sti.operation_event e where e.operation_id = o.id and e.kind = 'flag') as version
      from sti.operation o where o.rollout = ${ramp.rollout} and o.idempotency_key in ${sql(keys)}
      order by o.id desc limit 1
    )
    select coalesce(step.index, -1) as index, step.id::float8 as change, step.version as made,
      f.version::float8 as version, f.enabled, f.percentage::float8 as percentage, f.changed_by,
      (select o.reason from sti.operation o where o.id = f.operation_id) as reason
    from sti.flag f left join step on true where f.rollout = ${ramp.rollout}`
  if (!row) return { position: { index: -1, operationId: null, version: fromVersion } }
  const version = row.made ?? fromVersion
  if (row.version === version) return { position: { index: row.index, operationId: row.change, version } }
  const who = row.changed_by?.name ?? 'Somebody'
  const what = row.enabled ? `set the flag to ${row.percentage}%` : 'turned the flag off'
  return {
    superseded: `${who} ${what}${row.reason ? ` (${row.reason})` : ''}. The ramp has ended and will not change the flag again.`,
  }
}

/** @throws OperationFailedError flag-changed */
export async function requireRampPosition(...args: Parameters<typeof lookUpRampPosition>): Promise<RampPosition> {
  const lookup = await lookUpRampPosition(...args)
  if ('superseded' in lookup) throw new OperationFailedError('flag-changed', lookup.superseded)
  return lookup.position
}
