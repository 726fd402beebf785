import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { createVehicles, VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { connect } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import { checkRolloutFile, privilegeNotes } from '../rollout/checkAgainstTable.ts'
import { compileRollout } from '../rollout/compileRollout.ts'
import { inspectTable } from '../rollout/inspectTable.ts'
import { createFileCheckCache } from './tableFacts.ts'

test('simultaneous readers share one check of the file, and an error of it is not kept', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    const { rollout } = compileRollout('v.yaml', VEHICLES_FILE)
    const database = connect(url, 'test')
    try {
      await migrate(database, true)
      const table = await inspectTable(database.state, rollout!)
      let checks = 0
      const cache = createFileCheckCache(
        async (...input) => {
          if (++checks === 1) throw new Error('the first check fails')
          return await checkRolloutFile(...input)
        },
        privilegeNotes,
        database.state,
        () => database.engine({ purpose: 'check' }),
      )
      const read = () => Promise.allSettled([1, 2, 3].map(() => cache.read(rollout!, table)))
      expect((await read()).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      expect(checks).toBe(1)
      const results = await read()
      expect(results).toEqual(
        results.map(() => ({ status: 'fulfilled', value: expect.objectContaining({ faults: [] }) as unknown })),
      )
      await read()
      expect(checks).toBe(2)
    } finally {
      await database.close()
    }
  })
})
