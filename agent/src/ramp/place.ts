import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { RampParameters } from './parameters.ts'

/** Where a ramp stands, by the flag's own row and the changes that the ramp has made to it. */
export interface Place {
  /** Of the last step that was set; -1: none yet. */
  readonly index: number
  /** The change that set it; null: none yet. */
  readonly change: number | null
  /** The version of the flag that the ramp has made, or found at its start. */
  readonly version: number
}

interface Row {
  readonly index: number
  readonly change: number | null
  readonly made: number | null
  readonly version: number
  readonly enabled: boolean
  readonly percentage: number
  readonly changed_by: Actor | null
  readonly reason: string | null
}

export const stepKey = (ramp: bigint | number, index: number): string => `ramp ${ramp} step ${index + 1}`

export type Looked = { readonly place: Place } | { readonly overtaken: string }

/** Reads where a ramp stands, or who has changed the flag since: then the ramp is over. */
export async function lookAt(
  sql: Sql,
  ramp: { readonly id: bigint; readonly rollout: string },
  { steps, fromVersion }: RampParameters,
): Promise<Looked> {
  const keys = steps.map((_, index) => stepKey(ramp.id, index))
  const [row] = await sql<Row[]>`
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
  if (!row) return { place: { index: -1, change: null, version: fromVersion } }
  const version = row.made ?? fromVersion
  if (row.version === version) return { place: { index: row.index, change: row.change, version } }
  const who = row.changed_by?.name ?? 'Somebody'
  const what = row.enabled ? `set the flag to ${row.percentage} %` : 'turned the flag off'
  return { overtaken: `${who} ${what}${row.reason ? ` (${row.reason})` : ''}: the ramp is over and sets it no more.` }
}

/** @throws OperationFailure flag-changed */
export async function placeOf(...args: Parameters<typeof lookAt>): Promise<Place> {
  const looked = await lookAt(...args)
  if ('overtaken' in looked) throw new OperationFailure('flag-changed', looked.overtaken)
  return looked.place
}
