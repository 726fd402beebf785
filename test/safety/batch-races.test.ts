import { expect, test } from 'vitest'
import { waitForEngineLockWait, withSession } from '../support/faultInjection.ts'
import { withTestLane } from './testLane.ts'

test('a row that another session changes while the batch waits for it gets the type of its new values', async () => {
  await withTestLane(10, async ({ url, sql, lane, batch }) => {
    await withSession(url, async (session) => {
      await session.unsafe(
        'begin; update public.vehicles set is_truck = not is_truck, is_bike = not is_bike where id = 5',
      )
      const written = batch(lane, 0, 10)
      await waitForEngineLockWait(sql, 'backfill')
      await session.unsafe('commit')
      expect(await written).toMatchObject({ written: 10, unmapped: 0 })
    })
    // Row 5 was a bike.
    expect(await sql`select is_truck, is_bike, type from public.vehicles where id = 5`).toEqual([
      { is_truck: true, is_bike: false, type: 'Truck' },
    ])
  })
})

test('a row that another session has corrected in the meantime is not written again', async () => {
  await withTestLane(10, async ({ url, sql, lane, batch }) => {
    await withSession(url, async (session) => {
      await session.unsafe(`begin; update public.vehicles set type = 'Bike' where id = 5`)
      const written = batch(lane, 0, 10)
      await waitForEngineLockWait(sql, 'backfill')
      await session.unsafe('commit')
      expect((await written).written).toBe(9)
    })
  })
})

test('a row that is deleted while the batch waits for it is skipped, and the batch continues', async () => {
  await withTestLane(10, async ({ url, sql, lane, batch }) => {
    await withSession(url, async (session) => {
      await session.unsafe('begin; delete from public.vehicles where id = 5')
      const written = batch(lane, 0, 10)
      await waitForEngineLockWait(sql, 'backfill')
      await session.unsafe('commit')
      expect((await written).written).toBe(9)
    })
    expect(await sql`select id::int from public.vehicles where type is null`).toEqual([])
  })
})

test('a row that moves out of the range while the batch waits for it is left to its new range', async () => {
  await withTestLane(10, async ({ url, sql, lane, batch }) => {
    await withSession(url, async (session) => {
      await session.unsafe('begin; update public.vehicles set id = default where id = 5')
      const written = batch(lane, 0, 10)
      await waitForEngineLockWait(sql, 'backfill')
      await session.unsafe('commit')
      expect((await written).written).toBe(9)
    })
    expect(await sql`select id::int from public.vehicles where type is null`).toEqual([{ id: 11 }])
  })
})

test('a takeover of the lane fences off the old holder: its batch writes no row and no checkpoint', async () => {
  await withTestLane(100, async ({ sql, database, lane, batch, takeOver }) => {
    await batch(lane, 0, 10)
    const at10 = { ...lane, position: ['10'] }
    const taken = await takeOver()
    await expect(batch(at10, 10, 20)).rejects.toThrow(/another agent has taken this lane over/)
    expect(await sql`select count(*)::int as n from public.vehicles where type is not null`).toEqual([{ n: 10 }])
    await batch({ ...taken, position: ['10'] }, 10, 20)
    // An epoch can repeat after a failover, so the fence also has a random claim id.
    await expect(batch({ ...at10, epoch: taken.epoch, position: ['20'] }, 20, 30)).rejects.toThrow(/another agent/)
    const [stored] = await database.state`select position, passed_rows, written_rows, batches from sti.lane`
    expect(stored).toEqual({ position: ['20'], passed_rows: 20n, written_rows: 20n, batches: 2n })
  })
})

test('a batch whose result was lost is not applied twice', async () => {
  await withTestLane(100, async ({ database, lane, batch }) => {
    await batch(lane, 0, 10)
    await expect(batch(lane, 0, 10)).rejects.toThrow(/another agent/)
    const [stored] = await database.state`select passed_rows, batches from sti.lane`
    expect(stored).toEqual({ passed_rows: 10n, batches: 1n })
  })
})

test('the lane cannot be taken over while the old holder waits inside its batch, and afterwards only from its checkpoint', async () => {
  await withTestLane(10, async ({ url, sql, lane, batch, takeOver }) => {
    await withSession(url, async (session) => {
      await session.unsafe('begin; update public.vehicles set name = name where id = 5')
      const written = batch(lane, 0, 10)
      await waitForEngineLockWait(sql, 'backfill')
      const taking = takeOver()
      await session.unsafe('commit')
      expect((await written).written).toBe(10)
      expect((await taking).position).toEqual(['10'])
    })
  })
})
