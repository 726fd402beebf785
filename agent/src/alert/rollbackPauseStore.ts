import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

/** A pause of automatic rollback for one rollout. */
export interface RollbackPause {
  readonly by: Actor
  readonly until: Date
  readonly reason: string
}

/** The current pause by the database's clock; null: automatic rollback is armed. */
export async function readRollbackPause(sql: Sql, rollout: string): Promise<RollbackPause | null> {
  const [row] = await sql<RollbackPause[]>`
    select paused_by as by, paused_until as until, reason from sti.automatic_rollback_pause
    where rollout = ${rollout} and paused_until > clock_timestamp()`
  return row ?? null
}

/** Pauses automatic rollback, or replaces the current pause; writes the event in the same statement. */
export async function pauseAutomaticRollback(
  sql: Sql,
  rollout: string,
  { by, until, reason }: RollbackPause,
): Promise<void> {
  await sql`
    with paused as (
      insert into sti.automatic_rollback_pause (rollout, paused_by, paused_until, reason)
      values (${rollout}, ${sql.json(by)}, ${until}, ${reason})
      on conflict (rollout) do update set paused_by = excluded.paused_by, paused_at = excluded.paused_at,
        paused_until = excluded.paused_until, reason = excluded.reason
      returning paused_until
    )
    select sti.append_event(null, ${rollout}, ${sql.json(by)}, 'automatic-rollback', 'automatic rollback paused', ${reason}, null,
      jsonb_build_object('armed', false, 'until', paused_until)) from paused`
}

/** Ends the pause. False: automatic rollback was not paused. */
export async function resumeAutomaticRollback(
  sql: Sql,
  rollout: string,
  { by, reason }: { readonly by: Actor; readonly reason: string },
): Promise<boolean> {
  const rows = await sql`
    with resumed as (
      delete from sti.automatic_rollback_pause where rollout = ${rollout} and paused_until > clock_timestamp() returning paused_until
    )
    select sti.append_event(null, ${rollout}, ${sql.json(by)}, 'automatic-rollback', 'automatic rollback resumed', ${reason},
      jsonb_build_object('armed', false, 'until', paused_until), jsonb_build_object('armed', true)) from resumed`
  return rows.length > 0
}
