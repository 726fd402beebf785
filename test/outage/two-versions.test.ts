import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

const statusOf = async (url: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, text: await response.text() }
}

test('agents of two versions share a database, unless the newer one changed the schema incompatibly', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (older) => {
        // What a newer version leaves behind, here of one that this version can work with.
        await sql`insert into sti.migration (number, name, compatible) values (9999, '9999_next.sql', true)`
        await withAgent(
          url,
          VEHICLES_FILE,
          async (newer) => {
            await older.run('expand')
            await newer.run('backfill')
            expect((await statusOf(older.url)).status).toBe(200)
            await sql`update sti.migration set compatible = false where number = 9999`
            const refused = await waitFor('the agent reports the newer version', async () => {
              const answer = await statusOf(older.url)
              return answer.status === 503 ? answer : null
            })
            expect(refused.text).toContain('9999_next.sql')
            expect(refused.text).toContain('upgrade this agent')
            // Nothing is claimed, and turning the flag off still works.
            const off = { kind: 'rollback', environment: 'staging', parameters: { scope: 'flag' }, reason: 'test' }
            expect((await older.post('/v1/rollouts/vehicles/operations', off)).status).toBe(202)
            await sql`delete from sti.migration where number = 9999`
            await waitFor('the agent is ready again', async () => (await statusOf(older.url)).status === 200)
          },
          { ...QUIET_LOG, name: 'agent-2' },
        )
      },
      QUIET_LOG,
    )
  })
})
