import type { Sql } from './connect.ts'

/**
 * The state in schema `sti` travels with a clone, a restore, or a failover. It belongs to this environment only while
 * environment, system identifier, database, and timeline are the ones it was created in.
 */
export interface DatabaseIdentity {
  readonly environment: string
  readonly systemIdentifier: string
  readonly databaseOid: number
  readonly timeline: number
}

export interface IdentityCheck {
  /** Null if the state belongs to this environment, otherwise why it does not. */
  readonly foreignState: string | null
  /** The same for every agent of this database, and different for every other database. */
  readonly database: string
}

/** Claims a database without an identity, and compares the identity in it with that of the server. */
export async function checkDatabaseIdentity(sql: Sql, environment: string): Promise<IdentityCheck> {
  const [stored] = await sql<DatabaseIdentity[]>`
    with mine as (${currentIdentitySql(sql, environment)}), first as (
      insert into sti.identity (environment, system_identifier, database_oid, timeline, adopted_by)
      select mine."environment", mine."systemIdentifier", mine."databaseOid", mine."timeline", 'first boot' from mine
      where not exists (select from sti.identity) and not pg_is_in_recovery()
      on conflict do nothing
      returning environment, system_identifier, database_oid, timeline
    )
    select environment, system_identifier as "systemIdentifier", database_oid::int8::text::int as "databaseOid", timeline from first
    union all
    select environment, system_identifier, database_oid::int8::text::int, timeline from sti.identity
    limit 1`
  const current = await readCurrentIdentity(sql, environment)
  const foreignState = foreignStateReason(stored, current)
  return { foreignState, database: databaseName(current!) }
}

/** Like `checkDatabaseIdentity`, but claims nothing. */
export async function findForeignState(sql: Sql, environment: string): Promise<string | null> {
  const [stored] = await sql<DatabaseIdentity[]>`
    select environment, system_identifier as "systemIdentifier", database_oid::int8::text::int as "databaseOid", timeline
    from sti.identity`
  return foreignStateReason(stored, await readCurrentIdentity(sql, environment))
}

async function readCurrentIdentity(sql: Sql, environment: string): Promise<DatabaseIdentity | undefined> {
  const [current] = await sql<DatabaseIdentity[]>`${currentIdentitySql(sql, environment)}`
  return current
}

/** The timeline tells a promoted copy, which keeps system identifier and oid, from its origin. */
const databaseName = ({ systemIdentifier, databaseOid, timeline }: DatabaseIdentity): string =>
  [systemIdentifier, databaseOid, timeline].join('-')

function foreignStateReason(
  stored: DatabaseIdentity | undefined,
  current: DatabaseIdentity | undefined,
): string | null {
  // Without a row, the server is read-only and has no state, or the connection lost the result. Neither means that
  // the state belongs to another environment.
  if (!stored || !current) throw new Error('its identity cannot be read. Is this the primary?')
  const differences = [
    stored.environment !== current.environment &&
      `environment ${stored.environment}, this agent serves ${current.environment}`,
    stored.systemIdentifier !== current.systemIdentifier && 'another PostgreSQL system (a clone or a restore)',
    stored.databaseOid !== current.databaseOid && 'another database of the same server (a copy)',
    stored.timeline !== current.timeline &&
      `timeline ${stored.timeline}, the server is on ${current.timeline} (a failover or a restore)`,
  ].filter((text) => text !== false)
  if (differences.length === 0) return null
  return `The state in schema sti belongs to ${differences.join('; ')}. Nothing is claimed and the flag is served off until an admin adopts it: sti adopt --reason "…".`
}

export interface Adoption {
  readonly environment: string
  readonly actor: { readonly name: string }
  readonly reason: string
  /** The rollouts that the agent serves; each gets an event. */
  readonly rollouts: readonly string[]
}

/**
 * Makes the state this environment's own, with an event in the history of each rollout, in one transaction; running
 * operations of before are left to their leases.
 */
export async function adoptDatabase(sql: Sql, { environment, actor, reason, rollouts }: Adoption): Promise<void> {
  await sql`
    with before as materialized (select to_jsonb(i) as identity from sti.identity i), adopted as (
      update sti.identity i set environment = mine."environment", system_identifier = mine."systemIdentifier",
        database_oid = mine."databaseOid", timeline = mine."timeline", adopted_by = ${actor.name}, adopted_at = clock_timestamp()
      from (${currentIdentitySql(sql, environment)}) mine
      returning to_jsonb(i) as identity
    )
    select sti.append_event(null, rollout, ${sql.json(actor)}, 'adoption',
      ${`adopted the state in the database for ${environment}`}, ${reason}, before.identity, adopted.identity)
    from before, adopted, jsonb_array_elements_text(${sql.json([...rollouts])}::jsonb) as rollout`
}

function currentIdentitySql(sql: Sql, environment: string) {
  return sql`
    select /* sti */ ${environment}::text as "environment", s.system_identifier::text as "systemIdentifier",
      (select d.oid::int8::int from pg_database d where d.datname = current_database()) as "databaseOid",
      c.timeline_id as "timeline"
    from pg_control_system() s, pg_control_checkpoint() c`
}
