import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { ColumnDrop, OperationEvent, OperationPreview, Problem } from '../../agent/src/contract/index.ts'
import { TOKENS, type TestAgent } from '../support/agent.ts'
import { withSti, type RunSti } from '../support/stiCommand.ts'
import { findColumnDropCheck, prepareColumnDrop, withEnabledRollout } from './enabledRollout.ts'
import { runMigration } from './runMigration.ts'
import { waitFor } from '../support/waitFor.ts'

const PATH = '/v1/rollouts/vehicles'
const CONFIRMED = ['--confirm', 'vehicles', '--reason', 'nobody needs it'] as const

test('the archive can be removed before the drop, and after the drop only once it was exported, with concurrent writes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sti-archive-'))
  try {
    await withEnabledRollout(
      ({ agent, database: { sql, url } }) =>
        withSti(async (sti) => {
          const writers = startWriters(sql)
          await expectRefusals(agent, sti, url, sql)
          await dropColumns(agent, sti, url, sql, folder)
          expect(await writers.stop()).toBeGreaterThan(100)
        }),
      { config: { archiveFolder: folder } },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** Before the drop, no data is lost, and the prepared drop is no longer valid. */
async function expectRefusals(agent: TestAgent, sti: RunSti, url: string, sql: postgres.Sql): Promise<void> {
  expect(await requestRemoval(agent, {})).toMatchObject({
    status: 409,
    body: { reasons: ['There is no archive of legacy columns.'] },
  })
  const { migration, checks } = await prepareColumnDrop(agent)
  // This run compares all rows once: each pass queries the rows after the last one once.
  expect(checks.find(({ check }) => check === 'archive-complete')!.evidence).toMatch(/compared at 20/)
  const [compared] = await sql<{ times: number }[]>`/* sti */
    select sum(calls)::int as times from pg_stat_statements where query like 'select /* sti */ count(*)::int as archived,%'`
  expect(compared!.times).toBe(1)
  expect((await agent.rollout()).stage).toBe('ready-to-drop')
  expect(await requestRemoval(agent, {}, TOKENS.bob)).toMatchObject({ status: 403 })
  expect(await requestRemoval(agent, { confirm: 'other' })).toMatchObject({
    status: 422,
    body: { code: 'invalid-body' },
  })
  expect(await requestRemoval(agent, {}, TOKENS.ann, null)).toMatchObject({
    status: 422,
    body: { code: 'invalid-body' },
  })
  expect(await sti(agent.url, 'remove-archive', '--confirm', 'vehicles')).toMatchObject({ code: 2 })
  const { body } = await requestRemoval<OperationPreview>(agent, {}, TOKENS.ann, 'test', '?dryRun=true')
  expect(body).toMatchObject({ allowed: true, rows: expect.any(Number) as number })
  expect(body.notes.join(' ')).toMatch(
    /no data is lost.*prepared column drop is no longer valid.*never exported.*no differences/,
  )
  const done = await sti(agent.url, 'remove-archive', ...CONFIRMED)
  expect(done, done.err).toMatchObject({ code: 0 })
  expect(await readLeftovers(sql)).toBe(0)
  expect((await agent.rollout()).stage).toBe('enabled')
  const status = await agent.get<ColumnDrop>(`${PATH}/column-drop`)
  expect(status).toMatchObject({ archive: null, fresh: false, staleBecause: 'its archive was removed' })
  await expect(runMigration(url, migration!.up)).rejects.toThrow('the legacy columns have no complete archive')
}

/** After the drop, removing the archive removes the rollback option, so it requires an export or force. */
async function dropColumns(
  agent: TestAgent,
  sti: RunSti,
  url: string,
  sql: postgres.Sql,
  folder: string,
): Promise<void> {
  const again = await prepareColumnDrop(agent)
  expect(again.reasons).toEqual([])
  expect(findColumnDropCheck(again, 'archive-complete').verdict).toBe('pass')
  await runMigration(url, again.migration!.up)
  expect((await agent.rollout()).stage).toBe('dropped')
  const { actions } = await agent.rollout()
  expect(actions.find(({ action }) => action === 'remove-archive')).toMatchObject({ allowed: true })
  const refused = await requestRemoval(agent, {})
  expect(refused).toMatchObject({ status: 409 })
  expect(refused.body.reasons!.join(' ')).toContain('never exported')
  const { body } = await requestRemoval<OperationPreview>(agent, { force: true }, TOKENS.ann, 'test', '?dryRun=true')
  expect(body.allowed).toBe(true)
  expect(body.notes.join(' ')).toMatch(
    /This removes the rollback option: .*is_truck, is_bike.*Values of individual rows are lost/,
  )

  // The last comparison found a difference.
  await sql`/* sti */ update sti.column_archive set differing_rows = 1`
  expect((await requestRemoval(agent, { exportArchive: true })).body.reasons).toEqual([
    expect.stringContaining('No comparison found'),
  ])
  await sql`/* sti */ update sti.column_archive set differing_rows = 0`

  const done = await sti(agent.url, 'remove-archive', '--export-archive', ...CONFIRMED)
  expect(done, done.err).toMatchObject({ code: 0 })
  expect((await readdir(folder)).sort()).toEqual([
    expect.stringMatching(/^sti-archive-vehicles-\d+\.jsonl\.gz$/),
    expect.stringMatching(/^sti-archive-vehicles-\d+\.jsonl\.gz\.manifest\.json$/),
  ])
  expect(await readLeftovers(sql)).toBe(0)
  const [operation] = (await agent.rollout()).operations
  const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${operation!.id}/events`)
  expect(events.find(({ kind }) => kind === 'archive')).toMatchObject({
    reason: 'nobody needs it',
    message: 'removed archive sti."columns_vehicles" and its triggers',
    before: { archive: { exported: { path: expect.stringContaining(folder) as string }, verified: { differing: 0 } } },
  })
  const status = await waitForDropNoticed(agent)
  expect(status.archive).toBeNull()
  expect(status.dropped!.restore).toContain('The archive was removed')
  expect((await agent.rollout()).stage).toBe('dropped')
  // The undo only has the values of restore for each type now.
  await runMigration(url, again.migration!.down!)
  const [row] = await sql<{ wrong: number }[]>`/* sti */ select count(*)::int as wrong from public.vehicles
    where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
  expect(row!.wrong).toBe(0)
}

/** The agent checks every two seconds if the columns are dropped. */
function waitForDropNoticed(agent: TestAgent): Promise<ColumnDrop> {
  return waitFor('the agent detects the drop', async () => {
    const status = await agent.get<ColumnDrop>(`${PATH}/column-drop`)
    return status.dropped !== null && status
  })
}

async function requestRemoval<T = Problem>(
  agent: TestAgent,
  parameters: Record<string, unknown>,
  token = TOKENS.ann,
  reason: string | null = 'test',
  query = '',
): Promise<{ status: number; body: T }> {
  return await agent.post<T>(
    `${PATH}/operations${query}`,
    {
      kind: 'archive-removal',
      environment: 'staging',
      parameters: { confirm: 'vehicles', ...parameters },
      ...(reason === null ? {} : { reason }),
    },
    { authorization: `Bearer ${token}` },
  )
}

/** The number of database objects that belong to the archive. */
async function readLeftovers(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ left: number }[]>`/* sti */
    select ((select count(*) from pg_trigger where tgname like '~sti_archive%') + (select count(*) from sti.column_archive)
      + (select count(*) from pg_class where relname = 'columns_vehicles') + (select count(*) from pg_proc where proname = 'keep_vehicles')
      + (select count(*) from sti.change where kind = 'archive' and reverted_at is null))::int as left`
  return row!.left
}

/** New code, which uses only the type. None of its writes may fail, whatever happens to the archive. */
function startWriters(sql: postgres.Sql): { stop(): Promise<number> } {
  let writing = true
  const write = async (): Promise<number> => {
    let writes = 0
    for (; writing; writes++) {
      const type = ['Truck', 'Bike'][writes % 2]!
      await sql`update public.vehicles set type = ${type} where id = ${(writes % 300) + 1}`
      await sql`insert into public.vehicles (name, type) values (${`written ${writes}`}, ${type})`
      await sleep(10)
    }
    return writes
  }
  const running = write()
  running.catch(() => undefined)
  return {
    async stop() {
      writing = false
      return await running
    },
  }
}
