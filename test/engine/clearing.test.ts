import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readEventMessages } from '../support/operations.ts'
import { engineBackendPids } from '../support/faultInjection.ts'
import type { FailpointName } from '../../agent/src/kind/failpoints.ts'
import { moveRowsToFront, WITHOUT_AUTOVACUUM } from './moveRowsToFront.ts'
import { withExpandedTable, plainTable, recordEngineWrites, readEngineWrites } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

test('an existing column is cleared while other sessions move rows: no derived value is left', async () => {
  const ROWS = 12_000
  await withExpandedTable(
    {
      create: plainTable(ROWS, `''`, 'alter table public.vehicles add column type text', WITHOUT_AUTOVACUUM),
      watched: {},
    },
    async ({ sql, agent }) => {
      await agent.run('backfill')
      await sql`truncate public.watched`
      await recordEngineWrites(sql, 0.03)
      const { id } = await agent.request('rollback', { scope: 'data', confirm: 'vehicles' })
      await waitFor('the trigger is dropped', async () =>
        (await readEventMessages(agent, id)).includes('changes reverted'),
      )
      // The name is indexed, so each row leaves its page, some of them to pages behind the lanes.
      let [writes, ended] = [0, false]
      const moving = (async () => {
        while (!ended) {
          await sql`update public.vehicles set name = name || '!' where id % 600 = ${writes % 600}`
          writes++
          await sleep(5)
        }
      })()
      const rollback = await agent.waitForEnd(id).finally(() => (ended = true))
      await moving
      expect(writes).toBeGreaterThan(20)
      expect(rollback).toMatchObject({ state: 'succeeded', error: null })
      const left = await sql<
        { rows: number }[]
      >`select count(*)::int as rows from public.vehicles where type is not null`
      expect(left[0]!.rows).toBe(0)
      expect(rollback.result).toMatchObject({ clearedRows: ROWS })
      expect(await readEngineWrites(sql)).toMatchObject({ rows: ROWS })
      expect(await engineBackendPids(sql, 'rollback')).toEqual([])
    },
  )
})

test('rows that move behind the lanes and then behind the sweep are cleared', async () => {
  const ROWS = 24_000
  const hooks = new Map<FailpointName, () => Promise<void>>()
  const reached = async (point: FailpointName): Promise<void> => {
    const then = hooks.get(point)
    hooks.delete(point)
    await then?.()
  }
  const create = plainTable(ROWS, `''`, 'alter table public.vehicles add column type text', WITHOUT_AUTOVACUUM)
  await withExpandedTable({ create, reached }, async ({ sql, agent }) => {
    await agent.run('backfill')
    await sql`vacuum full public.vehicles`
    hooks.set('rollback.clear', async () => {
      // Pages are full, so most rows move behind the last lane.
      await sql`update public.vehicles set name = name || '!' where id > 23000`
    })
    hooks.set('sweep.looked', () => moveRowsToFront(sql, 'axles = 1', 'id > 23950 and type is not null'))
    const rollback = await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
    expect(hooks.size).toBe(0)
    const left = await sql<{ rows: number }[]>`select count(*)::int as rows from public.vehicles where type is not null`
    expect(left[0]!.rows).toBe(0)
    expect(rollback.result).toMatchObject({ clearedRows: ROWS })
  })
})
