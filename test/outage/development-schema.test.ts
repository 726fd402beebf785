import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

/** The part of an earlier development schema that the agent could mistake for its own: same tables, older columns. */
async function createDevelopmentSchema(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema sti;
    create table sti.migration (number integer primary key, name text not null, applied_at timestamptz not null default clock_timestamp());
    insert into sti.migration (number, name) values (1, '0001_state.sql'), (2, '0002_baseline.sql'), (3, '0003_conflict.sql'),
      (4, '0004_validation_layers.sql'), (5, '0005_evidence.sql'), (6, '0006_seat.sql'), (7, '0007_validation_scan.sql'),
      (8, '0008_incident.sql'), (9, '0009_rollback.sql'), (11, '0011_column_archive.sql'), (12, '0012_column_drop.sql');
    create table sti.identity (only_row boolean primary key default true check (only_row), environment text not null,
      system_identifier text not null, database_oid oid not null, timeline integer not null, adopted_by text not null,
      adopted_at timestamptz not null default clock_timestamp());
    create table sti.flag (rollout text primary key, enabled boolean not null default false, percentage numeric not null default 0,
      version bigint not null default 0, changed_at timestamptz not null default clock_timestamp(), changed_by jsonb, operation_id bigint);
    insert into sti.flag (rollout, enabled, percentage, version) values ('vehicles', true, 100, 7);
    create table sti.flag_client (rollout text not null, client text not null, last_seen_at timestamptz not null,
      version bigint not null, answered_on boolean not null, accepted_by text, primary key (rollout, client));
    create table sti.peak (rollout text not null, signal text not null, hour timestamptz not null, maximum double precision not null,
      reached_at timestamptz not null, readings bigint not null, primary key (rollout, signal, hour));`)
}

/** Every table, column, and row of schema `sti`, and every trigger and schema of the database. */
async function databaseContents(sql: postgres.Sql): Promise<unknown> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'sti'::regnamespace and c.relkind = 'r' order by 1`
  const rows = await Promise.all(
    tables.map(async ({ name }) => [name, await sql.unsafe(`select to_jsonb(t) as row from ${name} t order by 1`)]),
  )
  const catalog = await sql`
    select nspname::text as name from pg_namespace where nspname !~ '^pg_'
    union all select tgname::text from pg_trigger
    union all select attrelid::regclass || '.' || attname from pg_attribute where attrelid::regclass::text ~ '^(sti|public)[.]' or attrelid = 'public.vehicles'::regclass
    order by 1`
  return { rows, catalog }
}

async function flagValue({ url }: TestAgent): Promise<unknown> {
  const response = await fetch(`${url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.flag}`, 'content-type': 'application/json', 'x-sti-client': 'web-1' },
    body: JSON.stringify({ context: { targetingKey: 'a' } }),
  })
  return await response.json()
}

test('an agent that finds the schema of an earlier development version reports it, writes nothing, and starts once the schema is dropped', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await createDevelopmentSchema(sql)
    const before = await databaseContents(sql)
    const warnings: string[] = []
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const ready = async (): Promise<Response> => await fetch(`${agent.url}/readyz`)
        await expect
          .poll(async () => JSON.stringify(await (await ready()).json()), { timeout: 10_000 })
          .toContain('An earlier development version of the agent created schema sti (migration 0001_state.sql)')
        expect((await ready()).status).toBe(503)
        const expand = { kind: 'expand', environment: 'staging' }
        expect(await agent.post('/v1/rollouts/vehicles/operations', expand)).toMatchObject({ status: 503 })
        expect(await flagValue(agent)).toMatchObject({ value: false })
        // Turning the flag off works without the schema; it is written once there is one.
        const off = { kind: 'flag', environment: 'staging', parameters: { enabled: false } }
        expect(await agent.post('/v1/rollouts/vehicles/operations', off)).toMatchObject({ body: { persisted: false } })
        // Two more polls of the database.
        await new Promise((resolve) => setTimeout(resolve, 4_500))
        expect(await databaseContents(sql)).toEqual(before)
        // The database monitor and the reconcile loop each log it once, not at every poll.
        const faults = warnings.filter((message) =>
          message.startsWith('The database cannot be used: An earlier development version'),
        )
        expect(faults.length).toBeLessThanOrEqual(2)

        await sql`drop schema sti cascade`
        await expect.poll(async () => (await ready()).status, { timeout: 15_000 }).toBe(200)
        await agent.run('expand')
      },
      {
        boot: 'without-database',
        log: (line) => void (line['level'] === 'warning' && warnings.push(String(line['message']))),
      },
    )
  })
}, 60_000)
