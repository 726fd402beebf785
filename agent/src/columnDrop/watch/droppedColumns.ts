import type { Sql } from '../../database/connect.ts'
import { agentActor } from '../../contract/index.ts'
import type { RolloutFacts } from '../../kind/facts.ts'

/** Records that the legacy columns were dropped or restored, with an event for each change. */
export async function recordDroppedColumns(sql: Sql, facts: RolloutFacts, agent: string): Promise<void> {
  const { rollout } = facts
  if (facts.table === null) return
  const dropped = facts.droppedColumns
  const actor = agentActor(agent)
  if (dropped.length === rollout.legacyColumns.length) {
    await sql`
      with noticed as (
        insert into sti.dropped_columns (rollout, columns) values (${rollout.name}, ${sql.json([...dropped])})
        on conflict do nothing returning columns
      )
      select sti.append_event(null, ${rollout.name}, ${sql.json(actor)}, 'column-drop',
        ${`The legacy columns ${dropped.join(', ')} were dropped by the migration. Its undo restores them and their data.`},
        null, null, jsonb_build_object('columns', columns)) from noticed`
    return
  }
  if (dropped.length > 0) return
  await sql`
    with back as (delete from sti.dropped_columns where rollout = ${rollout.name} returning columns)
    select sti.append_event(null, ${rollout.name}, ${sql.json(actor)}, 'column-drop',
      ${`The legacy columns ${rollout.legacyColumns.join(', ')} were restored.`}, null, jsonb_build_object('columns', columns), null) from back`
}

export async function readDroppedColumns(
  sql: Sql,
  rollout: string,
): Promise<{ readonly columns: readonly string[]; readonly noticedAt: string; readonly undo: boolean } | null> {
  const [row] = await sql<{ columns: string[]; at: Date; undo: boolean }[]>`
    select columns, detected_at as at, exists (select from sti.column_drop c where c.rollout = d.rollout
      and c.migration->>'down' is not null) as undo
    from sti.dropped_columns d where rollout = ${rollout}`
  return row ? { columns: row.columns, noticedAt: row.at.toISOString(), undo: row.undo } : null
}
