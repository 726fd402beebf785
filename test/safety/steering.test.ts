import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Progress } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { eventsOf, operationOf, quiet, steer, tune, until } from './asking.ts'
import { backends, slow, typed, withSession, wrong } from './disturbing.ts'

interface Running {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** An expanded table of 2,000 rows, whose batches take this long. */
async function expanded(seconds: number, use: (running: Running) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await vehicles(sql, 2_000)
    await slow(sql, seconds)
    await withAgent(
      url,
      `${VEHICLES}triggers: { slow: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        await use({ url, sql, agent })
      },
      quiet,
    )
  })
}

test('pause stands at a safe point and writes nothing; resume goes on from there; cancel keeps what was done', async () => {
  await expanded(0.1, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 100 })
    await until('rows are written', async () => (await typed(sql)) > 0)
    await steer(agent, id, 'pause')
    const paused = await agent.ended(id)
    const written = await typed(sql)
    expect(paused).toMatchObject({
      state: 'paused',
      progress: { writtenRows: written, processedRows: written, totalRows: 2_000 },
    })
    expect(paused.progress!.ratio).toBe(written / 2_000)
    expect(await backends(sql, 'backfill')).toEqual([])
    await steer(agent, id, 'resume')
    const resumed = await until('it goes on', async () => {
      const { progress } = await operationOf(agent, id)
      return progress!.writtenRows > written && progress
    })
    expect(resumed.processedRows).toBe(resumed.writtenRows)
    await steer(agent, id, 'cancel')
    expect((await agent.ended(id)).state).toBe('cancelled')
    const kept = await typed(sql)
    expect(kept).toBeGreaterThan(written)
    const again = await agent.run('backfill')
    expect(again.result).toMatchObject({ passedRows: 2_000, writtenRows: 2_000 - kept })
    expect(await wrong(sql)).toBe(0)
  })
})

test('progress is exact from the first second to the end, and never above 1', async () => {
  await expanded(0.1, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 100 })
    const seen: Progress[] = []
    let inserted = 0
    const ended = await until('it ends', async () => {
      const { state, progress } = await operationOf(agent, id)
      if (progress !== null) seen.push(progress)
      if (inserted++ < 5) await sql`insert into public.vehicles (name, is_truck, is_bike) values ('new', true, false)`
      return state === 'succeeded' && progress
    })
    const running = seen.filter((one) => one.processedRows > 0 && one.processedRows < one.totalRows)
    expect(running.length).toBeGreaterThan(2)
    for (const one of running) {
      expect(one.ratio).toBeLessThan(1)
      expect(one.rowsPerSecond).toBeGreaterThan(0)
      expect(one.remainingSeconds).toBeGreaterThan(0)
    }
    for (let i = 1; i < seen.length; i++)
      expect(seen[i]!.processedRows).toBeGreaterThanOrEqual(seen[i - 1]!.processedRows)
    expect(Math.max(...seen.map((one) => one.ratio))).toBe(1)
    expect(ended).toMatchObject({
      ratio: 1,
      processedRows: 2_005,
      totalRows: 2_005,
      writtenRows: 2_000,
      remainingSeconds: 0,
    })
  })
})

test('a batch size that is changed while it runs holds from the next batches on', async () => {
  await expanded(0.25, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 200, maximumBatchSeconds: 5 })
    await until('it runs', async () => ((await operationOf(agent, id)).progress?.batchRows ?? 0) > 100)
    await tune(agent, id, { batchSize: 20 })
    await until('it is smaller', async () => {
      const rows = (await operationOf(agent, id)).progress?.batchRows ?? Infinity
      return rows > 0 && rows <= 20
    })
    await tune(agent, id, { batchSize: 1000 })
    await agent.ended(id)
    expect(await wrong(sql)).toBe(0)
  })
})

test('it waits while a session waits behind it, says why, and goes on afterwards', async () => {
  await expanded(1.2, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 1000, maximumBatchSeconds: 5 })
    const batch = await until('a batch runs', async () => {
      const rows = await sql`select from pg_stat_activity where datname = current_database()
        and application_name like 'sti % backfill%' and wait_event = 'PgSleep'`
      return rows.length > 0
    })
    expect(batch).toBe(true)
    await sql.unsafe(`create or replace function public.slow() returns trigger language plpgsql as
      $$ begin perform pg_sleep(case when current_setting('sti.engine', true) = 'on' then 1.2 else 0 end); return null; end $$`)
    await withSession(url, async (session) => {
      await session.unsafe(`update public.vehicles set name = 'behind' where id <= 200`)
    })
    const ended = await agent.ended(id)
    expect(ended.state).toBe('succeeded')
    const said = (await eventsOf(agent, id)).filter((message) =>
      /waits: 1 session waiting for our locks|goes on/.test(message),
    )
    expect(said.slice(-2)).toEqual(['waits: 1 session waiting for our locks', 'goes on'])
    expect(ended.progress!.throttled).toBeNull()
  })
})

test('every Nth checkpoint is flushed, and only those', async () => {
  await expanded(0, async ({ sql, agent }) => {
    await sql.unsafe(`
      create table public.commits (batches bigint, position jsonb, flushed text);
      create function public.commits() returns trigger language plpgsql as $$ begin
        if new.batches > old.batches then
          insert into public.commits values (new.batches, new.position, current_setting('synchronous_commit')); end if;
        return null; end $$;
      create trigger commits after update on sti.lane for each row execute function public.commits()`)
    await agent.run('backfill', { batchSize: 100, checkpointInterval: 4, maximumBatchSeconds: 5 })
    const commits = await sql<{ batches: number; flushed: string }[]>`
      select batches::int, flushed from public.commits where batches <= 20 order by batches`
    expect(commits.length).toBe(20)
    expect(commits.filter((one) => one.flushed === 'on').map((one) => one.batches)).toEqual([4, 8, 12, 16, 20])
  })
})
