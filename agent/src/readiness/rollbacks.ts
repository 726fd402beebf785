import { matchAcceptances } from '../acceptance/acceptanceStore.ts'
import type { Acceptance } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

/** The item whose rollbacks an admin can exclude, by the name of each, as an acceptance of this check. */
export const ZERO_ROLLBACKS_ITEM = 'zero-rollbacks'

/** The flag was turned off, or data or system was rolled back. */
export interface RolloutRollback {
  /** Such as operation-12. */
  readonly name: string
  readonly what: string
  /** ISO 8601. */
  readonly at: string
}

/** Every time the flag was turned off, and every rollback of data or system, in the order of their events. */
export async function readRollbacks(sql: Sql, rollout: string): Promise<RolloutRollback[]> {
  const rows = await sql<{ id: bigint; what: string; at: Date }[]>`
    select operation_id as id, rtrim(message, '.') || ' by ' || (actor->>'name') as what, at from sti.operation_event
      where rollout = ${rollout} and kind = 'flag' and before->>'enabled' = 'true' and after->>'enabled' = 'false'
    union all
    select id, 'rollback ' || id || ' of scope ' || (parameters->>'scope') || ' by ' || (actor->>'name'), coalesce(ended_at, created_at)
      from sti.operation where rollout = ${rollout} and kind = 'rollback' and state <> 'cancelled'
        and parameters->>'scope' not in ('flag', 'monitoring')
    order by 3`
  return rows.map(({ id, what, at }) => ({ name: `operation-${id}`, what, at: at.toISOString() }))
}

/** The rollbacks that count, and those that an admin excluded, each with its acceptance. */
export function splitRollbacks(
  rollbacks: readonly RolloutRollback[],
  acceptances: readonly Acceptance[],
): { readonly counted: readonly RolloutRollback[]; readonly excluded: readonly Acceptance[] } {
  const { accepted, open } = matchAcceptances(
    acceptances,
    ZERO_ROLLBACKS_ITEM,
    rollbacks.map(({ name }) => name),
  )
  return { counted: rollbacks.filter(({ name }) => open.includes(name)), excluded: accepted }
}
