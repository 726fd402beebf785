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

test('tables of a group that are alike share one check, and a table that differs has its own', async () => {
  await withDatabase(async ({ url, sql }) => {
    for (let i = 1; i <= 3; i++)
      await sql.unsafe(
        `create schema t${i}; create table t${i}.vehicles (id bigint primary key, is_truck boolean, is_bike boolean)`,
      )
    await sql.unsafe('alter table t3.vehicles alter is_bike type text')
    const { group } = compileRollout('v.yaml', VEHICLES_FILE.replace('public.vehicles', 't*.vehicles'))
    const database = connect(url, 'test')
    try {
      await migrate(database, true)
      const checked: string[] = []
      const cache = createFileCheckCache(
        async (...input) => {
          checked.push(input[1].table.schema)
          return await checkRolloutFile(...input)
        },
        privilegeNotes,
        database.state,
        () => database.engine({ purpose: 'check' }),
      )
      const read = async (schema: string) => {
        const rollout = group!.child({ schema, name: 'vehicles', sql: `"${schema}"."vehicles"` })
        return await cache.read(rollout, await inspectTable(database.state, rollout))
      }
      const [first, second, other] = [await read('t1'), await read('t2'), await read('t3')]
      expect(checked).toEqual(['t1', 't3'])
      expect(second.faults).toEqual([])
      expect(other.faults.length).toBeGreaterThan(0)
      expect(second.rollout.name).toBe('vehicles@t2')
      expect(second.rollout.resolution!.conditions).toEqual(first.rollout.resolution!.conditions)
      expect(second.rollout.resolution!.source).not.toBe(first.rollout.resolution!.source)
      await sql.unsafe('alter table t2.vehicles add extra text')
      await read('t2')
      expect(checked).toEqual(['t1', 't3', 't2'])
    } finally {
      await database.close()
    }
  })
})
