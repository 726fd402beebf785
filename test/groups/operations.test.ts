import postgres from 'postgres'
import { expect, test } from 'vitest'
import { transitionOperation } from '../../agent/src/operation/transition.ts'
import { withDatabase } from '../support/database.ts'
import { waitFor } from '../support/waitFor.ts'
import { countWrong, createTenants, TENANTS_FILE, withGroupAgent } from './tenants.ts'

test('a group is expanded, backfilled, validated, finalized and rolled back, table by table', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 5, 200)
    await withGroupAgent(database, async ({ run }) => {
      const states = async () =>
        (await sql`select distinct state, stage from sti.child order by 1`).map(
          ({ state, stage }) => `${state} ${stage}`,
        )
      for (const [kind, stage] of [
        ['expand', 'expanded'],
        ['backfill', 'covered'],
        ['validation', 'verified'],
        ['finalize', 'finalized'],
      ] as const) {
        const { state, error, result } = await run(kind)
        expect([kind, state, error]).toEqual([kind, 'succeeded', null])
        expect(result).toMatchObject({ tables: 5, failed: 0 })
        expect(await states()).toEqual([`succeeded ${stage}`])
      }
      for (let i = 1; i <= 5; i++) expect(await countWrong(sql, `tenant_${i}`)).toBe(0)
      expect(
        (
          await sql`select count(*)::int as n from pg_constraint where contype = 'c' and conrelid::regclass::text like 'tenant%'`
        )[0]!['n'],
      ).toBe(5)
      // Nothing is left to do: no operation of a table is started.
      const before = await sql`select count(*)::int as n from sti.operation`
      expect((await run('backfill')).state).toBe('succeeded')
      expect((await sql`select count(*)::int as n from sti.operation`)[0]!['n']).toBe(before[0]!['n'] + 1)
      const rolledBack = await run('rollback', { scope: 'system' })
      expect([rolledBack.state, rolledBack.error]).toEqual(['succeeded', null])
      expect(await states()).toEqual(['succeeded rolled-back'])
      expect(
        (
          await sql`select count(*)::int as n from pg_attribute where attname = 'type' and attrelid::regclass::text like 'tenant%'`
        )[0]!['n'],
      ).toBe(0)
      expect(
        (await sql`select count(*)::int as n from pg_trigger where tgrelid::regclass::text like 'tenant%'`)[0]!['n'],
      ).toBe(0)
    })
  })
})

test('nothing is changed if one table does not fit the file', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 4, 50)
    await sql.unsafe('alter table tenant_3.vehicles alter is_truck type text')
    await withGroupAgent(database, async ({ run }) => {
      const expanded = await run('expand')
      expect([expanded.state, expanded.error_code]).toEqual(['failed', 'refused'])
      expect(expanded.error).toMatch(/^No table was changed\. "tenant_3"\."vehicles": /)
      expect((await sql`select count(*)::int as n from sti.change`)[0]!['n']).toBe(0)
      expect((await run('baseline')).error).toMatch(/has the operations expand, backfill/)
    })
  })
})

test('a table that fails is named, the others are done, and the next operation does only that one', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 4, 50)
    await sql.unsafe('create table public.broken (schema text); create table public.written (schema text, id bigint)')
    for (let i = 1; i <= 4; i++)
      await sql.unsafe(`create function tenant_${i}.audit() returns trigger language plpgsql security definer as $$ begin
          if exists (select from public.broken where schema = tg_table_schema) then raise 'not now'; end if;
          insert into public.written values (tg_table_schema, new.id); return new; end $$;
        create trigger a_audit before update on tenant_${i}.vehicles for each row execute function tenant_${i}.audit()`)
    const file = `${TENANTS_FILE}triggers: { a_audit: harmless }\n`
    await withGroupAgent(
      database,
      async ({ run }) => {
        expect((await run('expand')).error).toBeNull()
        await sql.unsafe(`insert into public.broken values ('tenant_3')`)
        const failed = await run('backfill')
        expect([failed.state, failed.error_code]).toEqual(['failed', 'tables'])
        expect(failed.error).toMatch(
          /^1 of 4 tables failed\. tenant_3: 1 of 50 rows failed .* it does only these tables\.$/,
        )
        expect(await sql`select schema_name, stage from sti.child where state <> 'succeeded'`).toEqual([
          { schema_name: 'tenant_3', stage: 'expanded' },
        ])
        for (const i of [1, 2, 4]) expect(await countWrong(sql, `tenant_${i}`)).toBe(0)
        await sql.unsafe('truncate public.broken, public.written')
        expect((await run('backfill')).error).toBeNull()
        expect(await countWrong(sql, 'tenant_3')).toBe(0)
        expect(await sql`select distinct schema from public.written`).toEqual([{ schema: 'tenant_3' }])
      },
      { file },
    )
  })
})

test('another agent continues a backfill between two tables and within one, and nothing is done twice', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 6, 100)
    let id = 0n
    let batches = 0
    let stopping: Promise<void> | null = null
    await withGroupAgent(
      database,
      async ({ run, request, agent }) => {
        expect((await run('expand')).error).toBeNull()
        id = await request('backfill')
        await waitFor('some tables are written', () => batches >= 5, { seconds: 60 })
        stopping = agent.stop()
        await stopping
      },
      {
        reached: (point) => {
          if (point === 'backfill.written') batches++
          return Promise.resolve()
        },
      },
    ).catch((error: unknown) => {
      if (stopping === null) throw error
    })
    const done = await sql<{ operation_id: string }[]>`
      select operation_id::text from sti.child where state = 'succeeded' and stage = 'covered' order by 1`
    const [group] = await sql`select state from sti.operation where id = ${String(id)}::bigint`
    expect(group!['state']).toBe('running')
    await withGroupAgent(
      database,
      async ({ waitForEnd }) => {
        const ended = await waitForEnd(id)
        expect([ended.state, ended.error]).toEqual(['succeeded', null])
      },
      { name: 'agent-2' },
    )
    for (let i = 1; i <= 6; i++) expect(await countWrong(sql, `tenant_${i}`)).toBe(0)
    const again = await sql<{ operation_id: string }[]>`select operation_id::text from sti.child order by 1`
    expect(again).toEqual(expect.arrayContaining([...done]))
    // One operation for each table, whoever worked on it.
    const [operations] = await sql`select count(*)::int as n from sti.operation where kind = 'backfill'`
    expect(operations!['n']).toBe(7)
  })
})

test('a locked table waits while the others continue; pause, resume and cancel reach every table', async () => {
  await withDatabase(async (database) => {
    const { sql } = database
    await createTenants(sql, 4, 50)
    await withGroupAgent(database, async ({ request, waitForEnd }) => {
      const holder = postgres(database.url, { max: 1 })
      await holder.unsafe('begin; lock table tenant_2.vehicles in access share mode')
      const change = async (id: bigint, cause: 'pause' | 'resume' | 'cancel') =>
        await transitionOperation(sql as never, id, cause, {
          actor: { name: 'ann', level: 'admin', via: 'token' },
          message: cause,
        })
      try {
        const id = await request('expand')
        const expanded = async (): Promise<number> =>
          (await sql`select count(*)::int as n from sti.child where stage = 'expanded'`)[0]!['n'] as number
        await waitFor('three tables are expanded', async () => (await expanded()) === 3, { seconds: 60 })
        await change(id, 'pause')
        expect((await waitForEnd(id)).state).toBe('paused')
        await change(id, 'resume')
        await waitFor(
          'it runs',
          async () =>
            (await sql`select from sti.operation where id = ${String(id)}::bigint and state = 'running'`).length === 1,
          { seconds: 30 },
        )
        await change(id, 'cancel')
        expect((await waitForEnd(id)).state).toBe('cancelled')
        expect(await expanded()).toBe(3)
        expect(
          await sql`select distinct state from sti.operation where state not in ('succeeded', 'cancelled')`,
        ).toEqual([])
      } finally {
        await holder.unsafe('rollback')
        await holder.end()
      }
      const ended = await waitForEnd(await request('expand'))
      expect([ended.state, ended.error]).toEqual(['succeeded', null])
    })
  })
})
