import { expect, test } from 'vitest'
import type { OperationProgress } from '../../agent/src/contract/index.ts'
import { readOperation, controlOperation, tuneOperation } from '../support/operations.ts'
import { engineBackendPids, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { partitionName, partitionedTable, partitionNames } from './partitionedVehicles.ts'
import {
  withExpandedTable,
  readLanes,
  sumOf,
  recordEngineWrites,
  readEngineWrites,
  type EngineTableOptions,
} from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

const COUNT = 9
const ROWS = 500
const ALL = COUNT * ROWS
const TABLE: EngineTableOptions = {
  create: partitionedTable(Array<number>(COUNT).fill(ROWS)),
  watched: { tables: partitionNames(COUNT) },
}
const slowTable = (seconds: number): EngineTableOptions => ({ ...TABLE, watched: { ...TABLE.watched, seconds } })

/** The worker of each move of a lane. */
const LANE_MOVES_TRIGGER = `
  create table public.moves (id bigserial, number int, claim uuid, pid int);
  create function public.moves() returns trigger language plpgsql as $$ begin
    if new.batches > old.batches and new.relation is not null then
      insert into public.moves (number, claim, pid) values (new.number, new.claim, pg_backend_pid());
    end if;
    return null; end $$;
  create trigger moves after update on sti.lane for each row execute function public.moves()`

test('three workers write each row once, each lane by one worker', async () => {
  await withExpandedTable(slowTable(0.005), async ({ sql, agent }) => {
    await sql.unsafe(LANE_MOVES_TRIGGER)
    const backfill = await agent.run('backfill', { workers: 3, batchSize: 100, maximumBatchSeconds: 5 })
    expect(backfill.result).toMatchObject({ passedRows: ALL, writtenRows: ALL, failedRows: 0 })
    expect(await countWrongRows(sql)).toBe(0)
    expect(await readEngineWrites(sql)).toMatchObject({ rows: ALL, connections: 3 })
    const each = await readLanes(sql, backfill.id)
    expect(each.map((lane) => [lane.written, lane.finished, lane.claimed])).toEqual(
      Array(COUNT).fill([ROWS, true, false]),
    )
    const moves = await sql<{ number: number; claims: number; pids: number; workers: number }[]>`
      select number, count(distinct claim)::int as claims, count(distinct pid)::int as pids from public.moves group by 1`
    expect(moves.map(({ claims, pids }) => [claims, pids])).toEqual(Array(COUNT).fill([1, 1]))
    const [row] = await sql<{ workers: number }[]>`select count(distinct pid)::int as workers from public.moves`
    expect(row!.workers).toBe(3)
  })
})

test('the number of writing connections follows the requested workers during the run', async () => {
  await withExpandedTable(slowTable(0.05), async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { workers: 1, batchSize: 10, maximumBatchSeconds: 5 })
    const writing = async (count: number): Promise<void> => {
      await waitFor(`${count} write`, async () => (await engineBackendPids(sql, 'backfill')).length === count)
      await sql`truncate public.watched`
      // All of them write.
      await waitFor(`${count} have written`, async () => (await readEngineWrites(sql)).connections >= count)
      expect((await engineBackendPids(sql, 'backfill')).length).toBe(count)
    }
    await writing(1)
    for (const workers of [3, 1, 2]) {
      await tuneOperation(agent, id, { workers })
      await writing(workers)
    }
    await recordEngineWrites(sql, 0, partitionNames(COUNT))
    await tuneOperation(agent, id, { batchSize: 100 })
    expect(await agent.waitForEnd(id)).toMatchObject({
      state: 'succeeded',
      result: { passedRows: ALL, writtenRows: ALL },
    })
    expect(sumOf(await readLanes(sql, id), (lane) => lane.written)).toBe(ALL)
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('pause stops every worker at a safe point, and each resumes there', async () => {
  await withExpandedTable(slowTable(0.05), async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { workers: 3, batchSize: 50, maximumBatchSeconds: 5 })
    await waitFor(
      'three lanes are at work',
      async () => (await readLanes(sql, id)).filter((lane) => lane.written > 0).length >= 3,
    )
    await controlOperation(agent, id, 'pause')
    const paused = await agent.waitForEnd(id)
    expect(await engineBackendPids(sql, 'backfill')).toEqual([])
    const written = await countTypedRows(sql)
    const standing = await readLanes(sql, id)
    expect(standing.some((lane) => lane.claimed)).toBe(false)
    expect(sumOf(standing, (lane) => lane.written)).toBe(written)
    expect(sumOf(standing, (lane) => lane.passed + (lane.range_state?.written ?? 0))).toBe(written)
    expect(paused.progress).toMatchObject<Partial<OperationProgress>>({ writtenRows: written, processedRows: written })
    await recordEngineWrites(sql, 0, partitionNames(COUNT))
    await controlOperation(agent, id, 'resume')
    await waitFor('it resumes', async () => (await readOperation(agent, id)).state !== 'paused')
    expect(await agent.waitForEnd(id)).toMatchObject({
      state: 'succeeded',
      result: { passedRows: ALL, writtenRows: ALL },
    })
    expect(await readEngineWrites(sql)).toMatchObject({ rows: ALL })
  })
})

test('a fatal error of one worker stops all workers and becomes the error of the operation', async () => {
  await withExpandedTable(slowTable(0.05), async ({ sql, agent }) => {
    await sql.unsafe(`
      create function public.closed() returns trigger language plpgsql as
        $$ begin raise exception 'closed for today' using errcode = '42501'; end $$;
      create trigger watched_too after update on ${partitionName(2)} for each statement execute function public.closed()`)
    const failed = await agent.run('backfill').catch((error: Error) => error.message)
    // The file does not declare that trigger.
    expect(failed).toMatch(/watched_too/)
    await sql.unsafe(`
      drop trigger watched_too on ${partitionName(2)};
      create or replace function public.watched_2() returns trigger language plpgsql as
        $$ begin raise exception 'closed for today' using errcode = '42501'; end $$;
      create or replace trigger watched after update on ${partitionName(2)} for each statement execute function public.watched_2()`)
    const { id } = await agent.request('backfill', { workers: 3, batchSize: 50, maximumBatchSeconds: 5 })
    const ended = await agent.waitForEnd(id)
    expect(ended).toMatchObject({ state: 'failed', errorCode: '42501' })
    expect(ended.error).toMatch(/closed for today/)
    expect(await engineBackendPids(sql, 'backfill')).toEqual([])
    const each = await readLanes(sql, id)
    expect(each[2]!.written).toBe(0)
    const { rows } = await readEngineWrites(sql)
    expect(sumOf(each, (lane) => lane.written)).toBe(rows)
    expect(rows).toBeLessThan(ALL / 2)
  })
})
