import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { quiet, runBadly } from './asking.ts'

test('a validation that would read the whole table for each range is refused with what to do', async () => {
  await withDatabase(async ({ url, sql }) => {
    // So many that a quarter of a second reads less than a tenth: of a smaller one a range may well be the table.
    await vehicles(sql, 1_000_000)
    await withAgent(
      url,
      VEHICLES,
      async (agent) => {
        await agent.run('expand')
        const [{ name } = { name: '' }] = await sql<{ name: string }[]>`select current_database() as name`
        await sql.unsafe(`alter database ${name} set enable_indexscan = off`)
        await sql.unsafe(`alter database ${name} set enable_bitmapscan = off`)
        expect(await runBadly(agent, 'validation')).toMatchObject({
          errorCode: 'plan',
          error: expect.stringMatching(
            /^For each batch PostgreSQL would read all of public\.vehicles .* enable_bitmapscan and enable_indexscan are off/,
          ) as string,
        })
        await sql.unsafe(`alter database ${name} reset all`)
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0 })
      },
      quiet,
    )
  })
})
