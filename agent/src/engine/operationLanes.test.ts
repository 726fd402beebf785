import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import { firstBlockAfter } from './ctid.ts'
import type { Key } from './keys.ts'
import { claimLane, releaseLane } from './lane.ts'
import { createLanes, revokeLaneClaims, readLaneTotals } from './operationLanes.ts'
import type { LeafPartition } from './leafPartitions.ts'

const OPERATION = 1n

async function withLanes(use: (state: Sql) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url }) => {
    const database = connect(url, 'a')
    try {
      await migrate(database, false)
      await database.state`
        insert into sti.operation (rollout, kind, state, parameters, file_hash, derivation_hash, writes_table, actor, request_hash)
        values ('vehicles', 'backfill', 'running', '{}', '', '', true, '{}', '')`
      await use(database.state)
    } finally {
      await database.close()
    }
  })
}

function leaf(oid: number, blocks: number, rowsPerBlock: number, nodes = 1): LeafPartition {
  const name = `leaf_${oid}`
  return { oid, blocks, rowsPerBlock, nodes, filenode: oid, schema: 'public', name, sql: `public.${name}` }
}

interface LaneBounds {
  readonly number: number
  readonly relation: number
  readonly low: Key
  readonly high: Key
  readonly position: Key
}

async function readLanes(state: Sql): Promise<LaneBounds[]> {
  return await state<LaneBounds[]>`select number, relation, low, high, position from sti.lane order by number`
}

test.each([
  ['no page', [leaf(7, 0, 50)], 1],
  ['one page', [leaf(7, 1, 50)], 1],
  ['fewer rows than the minimum of a lane', [leaf(7, 1_999, 50)], 1],
  ['a little more', [leaf(7, 2_001, 50)], 2],
  ['wide rows', [leaf(7, 100_000, 1)], 1],
  ['a million rows', [leaf(7, 20_000, 50)], 10],
  ['a million rows on two nodes', [leaf(7, 2_500, 400, 2)], 5],
  ['many partitions', [leaf(7, 20_000, 50), leaf(8, 0, 50), leaf(9, 3, 200), leaf(10, 4_000, 50)], 14],
  // Each partition starts its own lane.
  ['far more rows than there may be lanes', [leaf(7, 40_000_000, 50), leaf(8, 10_000_000, 50)], 1_024 + 1],
])('every page of a table is in exactly one lane: %s', async (_, leaves, count) => {
  await withLanes(async (state) => {
    expect(await createLanes(state, OPERATION, leaves)).toBe(count)
    const lanes = await readLanes(state)
    expect(lanes.map((lane) => lane.number)).toEqual(Array.from({ length: count }, (_, index) => index + 1))
    for (const { oid, blocks } of leaves) {
      const own = lanes.filter((lane) => lane.relation === oid)
      let at = 0
      for (const { low, high, position } of own) {
        expect(firstBlockAfter(low)).toBe(at)
        expect(position).toEqual(low)
        at = firstBlockAfter(high)
      }
      expect(at).toBe(blocks)
      const sizes = own.map(({ low, high }) => firstBlockAfter(high) - firstBlockAfter(low))
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
  })
})

test('lanes are cut once; an attached partition gets its own, and a dropped one keeps its counters', async () => {
  await withLanes(async (state) => {
    await createLanes(state, OPERATION, [leaf(7, 4_000, 50), leaf(8, 10, 50)])
    const before = await readLanes(state)
    // Partition 8 has grown.
    expect(await createLanes(state, OPERATION, [leaf(7, 4_000, 50), leaf(8, 9_000, 50)])).toBe(0)
    expect(await createLanes(state, OPERATION, [leaf(8, 10, 50), leaf(9, 10, 50)])).toBe(1)
    const after = await readLanes(state)
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.slice(before.length)).toMatchObject([{ relation: 9, low: ['(0,0)'], high: ['(10,0)'] }])
  })
})

test('many workers of two agents claim every lane, and none is held by two', async () => {
  await withLanes(async (state) => {
    await createLanes(state, OPERATION, [leaf(7, 20_000, 50), leaf(8, 3, 50)])
    const claims = await Promise.all(
      Array.from({ length: 15 }, (_, index) => claimLane(state, OPERATION, index % 2 === 0 ? 'a' : 'b')),
    )
    const numbers = claims.flatMap((lane) => (lane === null ? [] : [lane.number]))
    expect(new Set(numbers).size).toBe(numbers.length)
    // Concurrent claims skip locked lanes, so some are left.
    for (
      let lane = await claimLane(state, OPERATION, 'a');
      lane !== null;
      lane = await claimLane(state, OPERATION, 'a')
    )
      numbers.push(lane.number)
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1))
  })
})

test('no lane of an operation that is not running can be claimed', async () => {
  await withLanes(async (state) => {
    await createLanes(state, OPERATION, [leaf(7, 4_000, 50)])
    expect(await claimLane(state, OPERATION, 'a')).not.toBeNull()
    for (const operationState of ['pausing', 'paused', 'failed']) {
      await state`update sti.operation set state = ${operationState} where id = ${OPERATION}`
      expect(await claimLane(state, OPERATION, 'a'), operationState).toBeNull()
    }
  })
})

test('a lane is held until it is released or revoked, or its lease expires for another agent', async () => {
  await withLanes(async (state) => {
    await createLanes(state, OPERATION, [leaf(7, 10, 50)])
    const first = (await claimLane(state, OPERATION, 'a'))!
    expect([await claimLane(state, OPERATION, 'a'), await claimLane(state, OPERATION, 'b')]).toEqual([null, null])
    await state`update sti.lane set lease_until = clock_timestamp() - interval '1 second'`
    // An agent does not take over its own lane, however long its worker waits.
    expect(await claimLane(state, OPERATION, 'a')).toBeNull()
    const second = (await claimLane(state, OPERATION, 'b'))!
    expect(second).toMatchObject({ number: first.number, epoch: first.epoch + 1n })
    expect(second.claim).not.toBe(first.claim)
    // The previous holder can no longer release the lane.
    await releaseLane(state, first, true)
    expect(await claimLane(state, OPERATION, 'a')).toBeNull()
    await revokeLaneClaims(state, OPERATION)
    const third = (await claimLane(state, OPERATION, 'a'))!
    await releaseLane(state, third, false)
    const fourth = (await claimLane(state, OPERATION, 'b'))!
    await releaseLane(state, fourth, true)
    expect(await claimLane(state, OPERATION, 'b')).toBeNull()
    await revokeLaneClaims(state, OPERATION)
    expect(await claimLane(state, OPERATION, 'b')).toBeNull()
  })
})

test('totals include passed rows and the written rows of incomplete ranges', async () => {
  await withLanes(async (state) => {
    expect(await readLaneTotals(state, OPERATION)).toEqual({ passed: 0, written: 0, failed: 0, batches: 0 })
    await createLanes(state, OPERATION, [leaf(7, 4_000, 50)])
    await state`update sti.lane set passed_rows = 10, written_rows = 9, failed_rows = 1, batches = 2`
    await state`update sti.lane set range_state = '{"written": 5}' where number = 2`
    expect(await readLaneTotals(state, OPERATION)).toEqual({ passed: 25, written: 18, failed: 2, batches: 4 })
  })
})
