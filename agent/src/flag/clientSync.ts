import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { SILENT_AFTER_MS, type ClientKey } from './clientRegistry.ts'
import type { InMemoryFlag } from './inMemoryFlag.ts'

/** Milliseconds to add to the local clock to get the clock of the database, which all agents write. */
export interface ClockOffset {
  milliseconds: number
}

export async function measureClockOffset(sql: Sql, offset: ClockOffset, now: () => number): Promise<void> {
  const sent = now()
  const [row] = await sql<
    { at: number }[]
  >`select /* sti */ (extract(epoch from clock_timestamp()) * 1000)::float8 as at`
  if (row) offset.milliseconds = Math.round(row.at - (sent + now()) / 2)
}

/**
 * Writes the changed clients of this agent, deletes expired clients, and merges the rows of other agents, in one
 * statement. It reads the rows as they were before its own writes.
 */
export async function syncClients(
  sql: Sql,
  flags: ReadonlyMap<string, Pick<InMemoryFlag, 'clients' | 'longestRequestSeconds'>>,
  offset: ClockOffset,
): Promise<void> {
  const byRollout = new Map([...flags].map(([rollout, { clients }]) => [rollout, clients]))
  const rollouts = [...flags].map(([rollout, { longestRequestSeconds }]) => ({
    rollout,
    longest_request: longestRequestSeconds,
  }))
  const dirtyRows = new Map([...byRollout].map(([rollout, clients]) => [rollout, clients.takeDirty()]))
  const ownRows = [...dirtyRows].flatMap(([rollout, rows]) =>
    rows.map((row) => ({
      rollout,
      client: row.client,
      instance: row.instance,
      last_seen_at: new Date(row.stamp).toISOString(),
      version: row.version,
      served_enabled: row.answeredOn,
    })),
  )
  try {
    const rows = await sql<
      { rollout: string; client: string; instance: string; seen: number; version: number; on: boolean; by: string }[]
    >`
      with flags as (
        select * from jsonb_to_recordset(${sql.json(rollouts)}) as f(rollout text, longest_request double precision)
      ), mine as (
        select * from jsonb_to_recordset(${sql.json(ownRows)})
          as m(rollout text, client text, instance text, last_seen_at timestamptz, version bigint, served_enabled boolean)
      ), written as (
        insert into sti.flag_client as c (rollout, client, instance, last_seen_at, version, served_enabled)
        select rollout, client, instance, last_seen_at, version, served_enabled from mine order by rollout, client, instance
        on conflict (rollout, client, instance) do update set last_seen_at = excluded.last_seen_at, version = excluded.version,
          served_enabled = excluded.served_enabled,
          accepted_by = case when excluded.last_seen_at > c.last_seen_at then null else c.accepted_by end
        where excluded.last_seen_at >= c.last_seen_at
      ), gone as (
        delete from sti.flag_client c using flags f
        where f.rollout = c.rollout
          and c.last_seen_at < clock_timestamp() - case
            when c.accepted_by is not null then interval '1 day'
            when not c.served_enabled then interval '60 s'
            when c.instance = '' then f.longest_request * interval '1 s' end
          and not exists (select from mine m where (m.rollout, m.client, m.instance) = (c.rollout, c.client, c.instance))
      )
      select rollout, client, instance, round(extract(epoch from last_seen_at) * 1000)::float8 as seen, version::float8,
        served_enabled as on, accepted_by as by
      from sti.flag_client
      where rollout in (select rollout from flags)`
    for (const [rollout, clients] of byRollout) {
      clients.merge(
        rows
          .filter((row) => row.rollout === rollout)
          .map((row) => ({
            client: row.client,
            instance: row.instance,
            lastSeenAt: row.seen - offset.milliseconds,
            stamp: row.seen,
            version: row.version,
            answeredOn: row.on,
            acceptedBy: row.by,
          })),
      )
      clients.expire()
    }
  } catch (error) {
    for (const [rollout, clients] of byRollout) clients.markDirty(dirtyRows.get(rollout) ?? [])
    throw error
  }
}

/** Records that a person accepted silent clients, and returns those that have sent no request in the meantime. */
export async function recordClientAcceptance(
  sql: Sql,
  acceptance: { rollout: string; clients: readonly ClientKey[]; actor: Actor; reason: string },
): Promise<ClientKey[]> {
  const { rollout, clients, actor, reason } = acceptance
  const keys = clients.map(({ client, instance }) => ({ client, instance }))
  return await sql<ClientKey[]>`
    with accepted as (
      update sti.flag_client c set accepted_by = ${actor.name}
      from jsonb_to_recordset(${sql.json(keys)}) as k(client text, instance text)
      where c.rollout = ${rollout} and (c.client, c.instance) = (k.client, k.instance) and c.accepted_by is null
        and c.last_seen_at < clock_timestamp() - ${SILENT_AFTER_MS}::float8 * interval '1 ms'
      returning c.client, c.instance, c.last_seen_at
    ), event as (
      select sti.append_event(null, ${rollout}, ${sql.json(actor)}, 'flag-client',
        format('Silent clients were accepted: %s.', string_agg(distinct client, ', ')), ${reason},
        jsonb_agg(to_jsonb(accepted)), jsonb_build_object('acceptedBy', ${actor.name}::text)) as id
      from accepted having count(*) > 0
    )
    select client, instance from accepted cross join event`
}
