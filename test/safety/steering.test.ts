import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { OperationProgress } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, readOperation, QUIET_LOG, controlOperation, tuneOperation } from '../support/operations.ts'
import {
  engineBackendPids,
  slowUpdates,
  countTypedRows,
  withSession,
  countWrongRows,
} from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

interface SteeredRollout {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** An expanded table of 2,000 rows whose batches take this long. */
async function withSlowTable(seconds: number, use: (running: SteeredRollout) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await slowUpdates(sql, seconds)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

test('pause stops at a safe point, resume continues there, and cancel keeps completed work', async () => {
  await withSlowTable(0.1, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 100 })
    await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
    await controlOperation(agent, id, 'pause')
    const paused = await agent.waitForEnd(id)
    const written = await countTypedRows(sql)
    expect(paused).toMatchObject({
      state: 'paused',
      progress: { writtenRows: written, processedRows: written, totalRows: 2_000 },
    })
    expect(paused.progress!.ratio).toBe(written / 2_000)
    expect(await engineBackendPids(sql, 'backfill')).toEqual([])
    await controlOperation(agent, id, 'resume')
    const resumed = await waitFor('it resumes', async () => {
      const { progress } = await readOperation(agent, id)
      return progress!.writtenRows > written && progress
    })
    expect(resumed.processedRows).toBe(resumed.writtenRows)
    await controlOperation(agent, id, 'cancel')
    expect((await agent.waitForEnd(id)).state).toBe('cancelled')
    const kept = await countTypedRows(sql)
    expect(kept).toBeGreaterThan(written)
    const again = await agent.run('backfill')
    expect(again.result).toMatchObject({ passedRows: 2_000, writtenRows: 2_000 - kept })
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('progress is exact from start to end and never above 1', async () => {
  await withSlowTable(0.1, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 100 })
    const seen: OperationProgress[] = []
    let inserted = 0
    const ended = await waitFor('it ends', async () => {
      const { state, progress } = await readOperation(agent, id)
      if (progress !== null) seen.push(progress)
      if (inserted++ < 5) await sql`insert into public.vehicles (name, is_truck, is_bike) values ('new', true, false)`
      return state === 'succeeded' && progress
    })
    const running = seen.filter((progress) => progress.processedRows > 0 && progress.processedRows < progress.totalRows)
    expect(running.length).toBeGreaterThan(2)
    for (const progress of running) {
      expect(progress.ratio).toBeLessThan(1)
      expect(progress.rowsPerSecond).toBeGreaterThan(0)
      expect(progress.remainingSeconds).toBeGreaterThan(0)
    }
    for (let i = 1; i < seen.length; i++)
      expect(seen[i]!.processedRows).toBeGreaterThanOrEqual(seen[i - 1]!.processedRows)
    expect(Math.max(...seen.map((progress) => progress.ratio))).toBe(1)
    expect(ended).toMatchObject({
      ratio: 1,
      processedRows: 2_005,
      totalRows: 2_005,
      writtenRows: 2_000,
      remainingSeconds: 0,
    })
  })
})

test('a changed batch size applies from the next batches on', async () => {
  await withSlowTable(0.25, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 200, maximumBatchSeconds: 5 })
    await waitFor('it runs', async () => ((await readOperation(agent, id)).progress?.batchRows ?? 0) > 100)
    await tuneOperation(agent, id, { batchSize: 20 })
    await waitFor('it is smaller', async () => {
      const rows = (await readOperation(agent, id)).progress?.batchRows ?? Infinity
      return rows > 0 && rows <= 20
    })
    await tuneOperation(agent, id, { batchSize: 1000 })
    await agent.waitForEnd(id)
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('the backfill waits while another session waits for it, gives the reason, and then continues', async () => {
  await withSlowTable(1.2, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 1000, maximumBatchSeconds: 5 })
    const batch = await waitFor('a batch runs', async () => {
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
    const ended = await agent.waitForEnd(id)
    expect(ended.state).toBe('succeeded')
    const said = (await readEventMessages(agent, id)).filter((message) =>
      /Waiting: 1 session is waiting for a lock held by STI|Resumed/.test(message),
    )
    expect(said.slice(-2)).toEqual(['Waiting: 1 session is waiting for a lock held by STI', 'Resumed'])
    expect(ended.progress!.throttled).toBeNull()
  })
})

test('every Nth checkpoint is flushed and no other', async () => {
  await withSlowTable(0, async ({ sql, agent }) => {
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
    expect(commits.filter((commit) => commit.flushed === 'on').map((commit) => commit.batches)).toEqual([
      4, 8, 12, 16, 20,
    ])
  })
})
