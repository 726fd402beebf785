import type { Sql } from '../database/connect.ts'
import type { Key } from '../engine/keys.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { boundedName, quoteIdentifier } from '../rollout/identifiers.ts'

/** Outcomes of a write whose legacy columns and type disagree. */
export const CONFLICT_RESOLUTIONS = ['refused', 'legacy', 'type'] as const
export type ConflictResolution = (typeof CONFLICT_RESOLUTIONS)[number]

/**
 * The sequence that counts conflicts with this outcome. A counter in a row would make writers wait for each other and would
 * be rolled back with a refused write; a sequence avoids both.
 */
function conflictSequenceName({ name }: Pick<Rollout, 'name'>, resolution: ConflictResolution): string {
  return boundedName(`conflicts_${resolution}`, name)
}

export const conflictSequenceSql = (rollout: Pick<Rollout, 'name'>, resolution: ConflictResolution): string =>
  `sti.${quoteIdentifier(conflictSequenceName(rollout, resolution))}`

/** Conflicts since finalize created the counters; null before that. */
export async function readConflictCounts(
  sql: Sql,
  rollout: Pick<Rollout, 'name'>,
): Promise<Readonly<Record<ConflictResolution, number>> | null> {
  const names = CONFLICT_RESOLUTIONS.map((resolution) => conflictSequenceName(rollout, resolution))
  const rows = await sql<{ name: string; count: number }[]>`
    select sequencename as name, coalesce(last_value, 0)::float8 as count from pg_sequences
    where schemaname = 'sti' and sequencename in ${sql(names)}`
  if (rows.length < names.length) return null
  const count = (name: string): number => rows.find((row) => row.name === name)!.count
  return { refused: count(names[0]!), legacy: count(names[1]!), type: count(names[2]!) }
}

const MAX_KEPT_CONFLICTS = 1_000

/** Deletes all but the newest conflicts of a rollout. Returns the keys of the last 10, newest first. */
export async function pruneConflicts(sql: Sql, rollout: Pick<Rollout, 'name'>): Promise<Key[]> {
  await sql`delete from sti.conflict where rollout = ${rollout.name} and id < (
    select min(id) from (select id from sti.conflict where rollout = ${rollout.name} order by id desc limit ${MAX_KEPT_CONFLICTS}) newest)`
  const rows = await sql<{ key: Key }[]>`
    select key from sti.conflict where rollout = ${rollout.name} order by id desc limit 10`
  return rows.map((row) => row.key)
}
