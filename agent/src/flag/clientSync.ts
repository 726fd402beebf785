import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { SILENT_AFTER_MS, type ClientRegistry } from './clientRegistry.ts'

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
  byRollout: ReadonlyMap<string, ClientRegistry>,
  offset: ClockOffset,
): Promise<void> {
  const dirtyRows = new Map([...byRollout].map(([rollout, clients]) => [rollout, clients.takeDirty()]))
  const ownRows = [...dirtyRows].flatMap(([rollout, rows]) =>
    rows.map((row) => ({
      rollout,
      client: row.client,
      last_seen_at: new Date(row.stamp).toISOString(),
      version: row.version,
      served_enabled: row.answeredOn,
    })),
  )
  try {
    const rows = await sql<
      { rollout: string; client: string; seen: number; version: number; on: boolean; by: string }[]
    >`
      with mine as (
        select * from jsonb_to_recordset(${sql.json(ownRows)})
          as m(rollout text, client text, last_seen_at timestamptz, version bigint, served_enabled boolean)
      ), written as (
        insert into sti.flag_client as c (rollout, client, last_seen_at, version, served_enabled)
        select rollout, client, last_seen_at, version, served_enabled from mine order by rollout, client
        on conflict (rollout, client) do update set last_seen_at = excluded.last_seen_at, version = excluded.version,
          served_enabled = excluded.served_enabled,
          accepted_by = case when excluded.last_seen_at > c.last_seen_at then null else c.accepted_by end
        where excluded.last_seen_at >= c.last_seen_at
      ), gone as (
        delete from sti.flag_client c
        where c.rollout in (select jsonb_array_elements_text(${sql.json([...byRollout.keys()])}))
          and c.last_seen_at < clock_timestamp() - case when c.accepted_by is null then interval '60 s' else interval '1 day' end
          and (c.accepted_by is not null or not c.served_enabled)
          and not exists (select from mine m where m.rollout = c.rollout and m.client = c.client)
      )
      select rollout, client, round(extract(epoch from last_seen_at) * 1000)::float8 as seen, version::float8,
        served_enabled as on, accepted_by as by
      from sti.flag_client
      where rollout in (select jsonb_array_elements_text(${sql.json([...byRollout.keys()])}))`
    for (const [rollout, clients] of byRollout) {
      clients.merge(
        rows
          .filter((row) => row.rollout === rollout)
          .map((row) => ({
            client: row.client,
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

/** Records that a person accepted a silent client. False if the client has sent a request in the meantime. */
export async function recordClientAcceptance(
  sql: Sql,
  acceptance: { rollout: string; client: string; actor: Actor; reason: string },
): Promise<boolean> {
  const { rollout, client, actor, reason } = acceptance
  const rows = await sql`
    with accepted as (
      update sti.flag_client set accepted_by = ${actor.name}
      where rollout = ${rollout} and client = ${client} and accepted_by is null
        and last_seen_at < clock_timestamp() - ${SILENT_AFTER_MS}::float8 * interval '1 ms'
      returning client, last_seen_at
    )
    select sti.append_event(null, ${rollout}, ${sql.json(actor)}, 'flag-client',
      ${`The silent client ${client} was accepted.`}, ${reason}, to_jsonb(accepted), jsonb_build_object('acceptedBy', ${actor.name}::text))::text
    from accepted`
  return rows.length > 0
}
