import { expect, test } from 'vitest'
import type { Progress } from '../../agent/src/contract/index.ts'
import { operationOf, steer, tune, until } from '../safety/asking.ts'
import { backends, typed, wrong } from '../safety/disturbing.ts'
import { partition, partitioned, partitions } from './partitions.ts'
import { expanded, lanes, sum, watch, watched, type Shape } from './rows.ts'

const COUNT = 9
const ROWS = 500
const ALL = COUNT * ROWS
const TABLE: Shape = { create: partitioned(Array<number>(COUNT).fill(ROWS)), watched: { tables: partitions(COUNT) } }
const slowly = (seconds: number): Shape => ({ ...TABLE, watched: { ...TABLE.watched, seconds } })

/** Who moved a lane, each time. */
const MOVES = `
  create table public.moves (id bigserial, number int, claim uuid, pid int);
  create function public.moves() returns trigger language plpgsql as $$ begin
    if new.batches > old.batches and new.relation is not null then
      insert into public.moves (number, claim, pid) values (new.number, new.claim, pg_backend_pid());
    end if;
    return null; end $$;
  create trigger moves after update on sti.lane for each row execute function public.moves()`

test('three workers write each row once, each lane by one of them', async () => {
  await expanded(slowly(0.005), async ({ sql, agent }) => {
    await sql.unsafe(MOVES)
    const backfill = await agent.run('backfill', { workers: 3, batchSize: 100, maximumBatchSeconds: 5 })
    expect(backfill.result).toMatchObject({ passedRows: ALL, writtenRows: ALL, failedRows: 0 })
    expect(await wrong(sql)).toBe(0)
    expect(await watched(sql)).toMatchObject({ rows: ALL, connections: 3 })
    const each = await lanes(sql, backfill.id)
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

test('as many connections write as are asked for, while it runs', async () => {
  await expanded(slowly(0.05), async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { workers: 1, batchSize: 10, maximumBatchSeconds: 5 })
    const writing = async (count: number): Promise<void> => {
      await until(`${count} write`, async () => (await backends(sql, 'backfill')).length === count)
      await sql`truncate public.watched`
      // All of them do.
      await until(`${count} have written`, async () => (await watched(sql)).connections >= count)
      expect((await backends(sql, 'backfill')).length).toBe(count)
    }
    await writing(1)
    for (const workers of [3, 1, 2]) {
      await tune(agent, id, { workers })
      await writing(workers)
    }
    await watch(sql, 0, partitions(COUNT))
    await tune(agent, id, { batchSize: 100 })
    expect(await agent.ended(id)).toMatchObject({ state: 'succeeded', result: { passedRows: ALL, writtenRows: ALL } })
    expect(sum(await lanes(sql, id), (lane) => lane.written)).toBe(ALL)
    expect(await wrong(sql)).toBe(0)
  })
})

test('pause stops all of them at a safe point, and each goes on from its own', async () => {
  await expanded(slowly(0.05), async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { workers: 3, batchSize: 50, maximumBatchSeconds: 5 })
    await until(
      'three lanes are at work',
      async () => (await lanes(sql, id)).filter((one) => one.written > 0).length >= 3,
    )
    await steer(agent, id, 'pause')
    const paused = await agent.ended(id)
    expect(await backends(sql, 'backfill')).toEqual([])
    const written = await typed(sql)
    const standing = await lanes(sql, id)
    expect(standing.some((lane) => lane.claimed)).toBe(false)
    expect(sum(standing, (lane) => lane.written)).toBe(written)
    expect(sum(standing, (lane) => lane.passed + (lane.striped?.written ?? 0))).toBe(written)
    expect(paused.progress).toMatchObject<Partial<Progress>>({ writtenRows: written, processedRows: written })
    await watch(sql, 0, partitions(COUNT))
    await steer(agent, id, 'resume')
    await until('it goes on', async () => (await operationOf(agent, id)).state !== 'paused')
    expect(await agent.ended(id)).toMatchObject({ state: 'succeeded', result: { passedRows: ALL, writtenRows: ALL } })
    expect(await watched(sql)).toMatchObject({ rows: ALL })
  })
})

test('what one of them cannot get over ends all of them, and is what the operation says', async () => {
  await expanded(slowly(0.05), async ({ sql, agent }) => {
    await sql.unsafe(`
      create function public.closed() returns trigger language plpgsql as
        $$ begin raise exception 'closed for today' using errcode = '42501'; end $$;
      create trigger watched_too after update on ${partition(2)} for each statement execute function public.closed()`)
    const failed = await agent.run('backfill').catch((error: Error) => error.message)
    // The file does not know that trigger.
    expect(failed).toMatch(/watched_too/)
    await sql.unsafe(`
      drop trigger watched_too on ${partition(2)};
      create or replace function public.watched_2() returns trigger language plpgsql as
        $$ begin raise exception 'closed for today' using errcode = '42501'; end $$;
      create or replace trigger watched after update on ${partition(2)} for each statement execute function public.watched_2()`)
    const { id } = await agent.request('backfill', { workers: 3, batchSize: 50, maximumBatchSeconds: 5 })
    const ended = await agent.ended(id)
    expect(ended).toMatchObject({ state: 'failed', errorCode: '42501' })
    expect(ended.error).toMatch(/closed for today/)
    expect(await backends(sql, 'backfill')).toEqual([])
    const each = await lanes(sql, id)
    expect(each[2]!.written).toBe(0)
    const { rows } = await watched(sql)
    expect(sum(each, (lane) => lane.written)).toBe(rows)
    expect(rows).toBeLessThan(ALL / 2)
  })
})
