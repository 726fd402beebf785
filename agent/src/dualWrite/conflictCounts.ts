import type { Sql } from '../database/connect.ts'
import type { Key } from '../engine/keys.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { boundedName, quoteIdentifier } from '../rollout/identifiers.ts'

/**
 * Outcomes of a write whose legacy columns and type disagree. `corrected`: before finalize, when the type always follows
 * the legacy columns.
 */
export const CONFLICT_RESOLUTIONS = ['corrected', 'refused', 'legacy', 'type'] as const
export type ConflictResolution = (typeof CONFLICT_RESOLUTIONS)[number]

/**
 * The sequence that counts conflicts with this outcome. A counter in a row would make writers wait for each other and would
 * be rolled back with a refused write; a sequence avoids both.
 */
export function conflictSequenceName({ name }: Pick<Rollout, 'name'>, resolution: ConflictResolution): string {
  return boundedName(`conflicts_${resolution}`, name)
}

export const conflictSequenceSql = (rollout: Pick<Rollout, 'name'>, resolution: ConflictResolution): string =>
  `sti.${quoteIdentifier(conflictSequenceName(rollout, resolution))}`

/**
 * A sequence whose value is the second, since 1970, of the last conflict before finalize. It keeps its value if the write is
 * rolled back.
 */
export const conflictClockSql = (rollout: Pick<Rollout, 'name'>): string =>
  `sti.${quoteIdentifier(conflictClockName(rollout))}`

export const conflictClockName = ({ name }: Pick<Rollout, 'name'>): string => boundedName('last_conflict', name)

/** The names of every sequence that counts conflicts of a rollout, in schema `sti`. */
export const conflictCounterNames = (rollout: Pick<Rollout, 'name'>): string[] => [
  ...CONFLICT_RESOLUTIONS.map((resolution) => conflictSequenceName(rollout, resolution)),
  conflictClockName(rollout),
]

/** The same sequences as SQL. */
export const conflictCountersSql = (rollout: Pick<Rollout, 'name'>): string[] =>
  conflictCounterNames(rollout).map((name) => `sti.${quoteIdentifier(name)}`)

/** Creates the counters of these outcomes, if they do not exist. */
export function createConflictCountersSql(
  rollout: Pick<Rollout, 'name'>,
  resolutions: readonly ConflictResolution[],
): string[] {
  const sequences = resolutions.map((resolution) => conflictSequenceSql(rollout, resolution))
  return [...sequences, ...(resolutions.includes('corrected') ? [conflictClockSql(rollout)] : [])].map(
    (sequence) => `create sequence if not exists ${sequence}`,
  )
}

/** Conflicts since expand and finalize created the counters, by outcome, on all nodes; null before expand. */
export async function readConflictCounts(
  sql: Sql,
  rollout: Pick<Rollout, 'name'>,
): Promise<Readonly<Partial<Record<ConflictResolution, number>>> | null> {
  const names = CONFLICT_RESOLUTIONS.map((resolution) => conflictSequenceName(rollout, resolution))
  const rows = await sql<{ name: string; count: number }[]>`
    select sequencename as name, (coalesce(last_value, 0) + coalesce((select sum(n.value) from sti.node_counter n
      where n.counter = sequencename), 0))::float8 as count from pg_sequences
    where schemaname = 'sti' and sequencename in ${sql(names)}`
  if (rows.length === 0) return null
  const counts = rows.map(({ name, count }) => [CONFLICT_RESOLUTIONS[names.indexOf(name)]!, count] as const)
  return Object.fromEntries(counts)
}

const MAX_KEPT_CONFLICTS = 1_000

/**
 * Deletes all but the newest conflicts of a rollout. Those that were corrected within the soak time stay, since they name
 * the statements that finalize waits for; there is one a minute at most. Returns the keys of the last 10, newest first.
 */
export async function pruneConflicts(sql: Sql, { name, file }: Rollout): Promise<Key[]> {
  await sql`delete from sti.conflict where rollout = ${name} and id < (
      select min(id) from (select id from sti.conflict where rollout = ${name} order by id desc limit ${MAX_KEPT_CONFLICTS}) newest)
    and not (resolution = 'corrected' and at > clock_timestamp() - make_interval(secs => ${file.soak}))`
  const rows = await sql<{ key: Key }[]>`
    select key from sti.conflict where rollout = ${name} order by id desc limit 10`
  return rows.map((row) => row.key)
}
