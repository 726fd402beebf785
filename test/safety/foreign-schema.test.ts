import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

async function withStranger(
  use: (own: { url: string; sql: postgres.Sql; stranger: string }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    const stranger = `stranger_${new URL(url).pathname.slice(1)}`
    await createVehicles(sql, 10)
    await sql.unsafe(`create role ${stranger}`)
    try {
      await use({ url, sql, stranger })
    } finally {
      await sql.unsafe(`drop owned by ${stranger} cascade; drop role ${stranger}`)
    }
  })
}

test.each<[string, (stranger: string) => string, RegExp]>([
  [
    'of another owner',
    (stranger) => `create schema sti authorization ${stranger}`,
    /Schema sti belongs to role stranger_\S+ and not to postgres, the role of the agent/,
  ],
  [
    'with a table of another role',
    (stranger) =>
      `create schema sti; create table sti.flag (rollout text, enabled boolean); alter table sti.flag owner to ${stranger}`,
    /objects that do not belong to postgres, the role of the agent \(table sti.flag of role stranger_/,
  ],
  [
    'with a function of another role',
    (stranger) =>
      `create schema sti; create function sti.append_event() returns int language sql as 'select 1'; alter function sti.append_event() owner to ${stranger}`,
    /objects that do not belong to postgres.*function sti.append_event\(\) of role/,
  ],
  [
    'that no agent created',
    () => `create schema sti; create table sti.measurements (x int)`,
    /contains objects that no agent created \(table sti.measurements\): rename that schema/,
  ],
])('a schema sti %s is refused at boot in one sentence, and nothing is written to it', async (_, ddl, sentence) => {
  await withStranger(async ({ url, sql, stranger }) => {
    await sql.unsafe(ddl(stranger))
    const objects = () =>
      sql`select relname::text, relowner from pg_class where relnamespace = 'sti'::regnamespace order by 1`
    const before = await objects()
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const readiness = async () =>
          (await (await fetch(`${agent.url}/readyz`)).json()) as { ready: boolean; reasons: string[] }
        await expect.poll(async () => (await readiness()).reasons.join(' '), { timeout: 10_000 }).toMatch(sentence)
        expect(await readiness()).toMatchObject({ ready: false, reasons: [expect.stringMatching(sentence)] })
        expect(await objects()).toEqual(before)
        await sql.unsafe('drop schema sti cascade')
        await expect.poll(async () => (await readiness()).ready, { timeout: 10_000 }).toBe(true)
      },
      { ...QUIET_LOG, boot: 'without-database' },
    )
  })
})

test('an empty schema sti that the agent’s role owns is used', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe('create schema sti')
    await withAgent(url, VEHICLES_FILE, (agent) => agent.run('expand'))
  })
})
