import { expect, test } from 'vitest'
import { connect } from '../../agent/src/database/connect.ts'
import { migrate } from '../../agent/src/database/migrate.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { requestRefused } from '../support/operations.ts'

test('a FOR ALL TABLES publication blocks schema sti until the file states that the subscriber is ready', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`create publication everything for all tables`
    const database = connect(url, 'a')
    await expect(migrate(database, false)).rejects.toThrow(
      /Publication everything is FOR ALL TABLES.*subscriber-ready/s,
    )
    expect((await sql`select to_regnamespace('sti')::text as schema`)[0]!.schema).toBeNull()
    await migrate(database, true)
    expect((await sql`select to_regclass('sti.operation')::text as found`)[0]!.found).toBe('sti.operation')
    await database.close()
  })
})

test('a published table is not expanded until the file states that the subscriber is ready', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql`create publication fleet for table public.vehicles`
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      expect(await requestRefused(agent, 'expand')).toMatch(/Publication fleet sends .* subscribers/)
    })
    await withAgent(url, `${VEHICLES_FILE}publication: subscriber-ready\n`, (agent) => agent.run('expand'))
  })
})
