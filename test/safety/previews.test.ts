import { expect, test } from 'vitest'
import type { OperationRequest } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG } from '../support/operations.ts'

test('a preview states whether its time was measured or assumed, and its basis', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const assumed = {
          backfill: 'writes 50,000 rows/s',
          validation: 'reads 500,000 rows/s',
          finalize: 'reads 500,000 rows/s',
        }
        for (const [kind, what] of Object.entries(assumed)) {
          expect(await agent.preview(kind as OperationRequest['kind']), kind).toMatchObject({
            estimatedSeconds: 1,
            estimateBasis: null,
            notes: expect.arrayContaining([
              `About 1 s if it ${what}. This rate is an assumption; it has not been measured here yet.`,
            ]),
          })
        }
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        const measured = {
          backfill: /^Backfill 2: 2,000 rows in .*, [\d,]+ rows\/s$/,
          validation: /^Validation 3: 2,000 rows in .*, [\d,]+ rows\/s$/,
          finalize: /^Finalize 4, which took /,
        }
        for (const [kind, basis] of Object.entries(measured)) {
          const { estimateBasis, notes } = await agent.preview(kind as OperationRequest['kind'])
          expect(estimateBasis).toMatch(basis)
          expect(notes.join()).not.toMatch(/not been measured/)
        }
        await sql`update pg_class set reltuples = -1 where oid = 'public.vehicles'::regclass`
        expect(await agent.preview('backfill')).toMatchObject({
          rows: null,
          estimatedSeconds: null,
          estimateBasis: null,
        })
      },
      QUIET_LOG,
    )
  })
})
