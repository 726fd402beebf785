import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { startPgBouncer, type PgBouncer, type PoolerSettings } from '../support/pgBouncer.ts'
import { pgBouncerProgram } from '../support/pgBouncerProgram.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

interface PooledDatabase extends TestDatabase {
  readonly pooler: PgBouncer
}

async function withPooler(settings: PoolerSettings, use: (database: PooledDatabase) => Promise<void>): Promise<void> {
  await withDatabase(async (database) => {
    await createVehicles(database.sql, 2_000)
    // A trigger that is declared `skips`: it counts the rows of the agent that it sees without the agent's setting.
    await database.sql.unsafe(`create table public.fired (id bigint);
      create function public.touch() returns trigger language plpgsql as $$ begin
        if current_setting('sti.engine', true) is distinct from 'on' then insert into public.fired values (new.id); end if;
        return new; end $$;
      create trigger touch before update on public.vehicles for each row execute function public.touch()`)
    const pooler = await startPgBouncer(database.url, settings)
    try {
      await use({ ...database, pooler })
    } finally {
      await pooler.stop()
    }
  })
}

const FILE = `${VEHICLES_FILE}triggers: { touch: skips }\n`

const reasons = async (agent: TestAgent): Promise<string> => await (await fetch(`${agent.url}/readyz`)).text()

test.runIf(pgBouncerProgram !== null)(
  'through PgBouncer in session mode the whole job runs with the settings of the agent',
  async () => {
    await withPooler({ pool_mode: 'session' }, async ({ sql, pooler }) => {
      await withAgent(pooler.url, FILE, async (agent) => {
        await agent.run('expand')
        await agent.run('backfill', { batchSize: 200 })
        expect((await sql`select count(*)::int as n from public.fired`)[0]!['n']).toBe(0)
        expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({ verdict: 'pass' })
        await agent.run('finalize')
        await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
      })
      // The next client of the pooler gets server connections without the settings of the agent.
      const others = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const { default: postgres } = await import('postgres')
          const client = postgres(pooler.url, { max: 1, fetch_types: false })
          const [row] =
            await client`select coalesce(current_setting('sti.engine', true), '') || current_setting('row_security') as left`
          await client.end()
          return row!['left'] as string
        }),
      )
      expect(new Set(others)).toEqual(new Set(['on']))
    })
  },
)

test.runIf(pgBouncerProgram !== null).each<[string, PoolerSettings, RegExp]>([
  ['transaction mode', { pool_mode: 'transaction' }, /transaction pooling.*PostgreSQL's own address/],
  // What is lost first depends on which connection gets the second statement.
  ['transaction mode, round robin', { pool_mode: 'transaction', server_round_robin: 1 }, /PostgreSQL's own address/],
  ['transaction mode, one connection', { pool_mode: 'transaction', default_pool_size: 1 }, /transaction pooling/],
  ['statement mode', { pool_mode: 'statement' }, /PostgreSQL's own address/],
  [
    'session mode without a reset',
    { pool_mode: 'session', server_reset_query: "''" },
    /server_reset_query = DISCARD ALL/,
  ],
])('PgBouncer in %s is refused with one sentence, and gets no settings', async (name, settings, sentence) => {
  await withPooler(settings, async ({ sql, pooler }) => {
    const boot = { ...QUIET_LOG, boot: 'without-database' as const }
    if (name.endsWith('reset')) {
      // A server connection that an earlier session of an agent has left.
      const { default: postgres } = await import('postgres')
      const earlier = postgres(pooler.url, { max: 20, fetch_types: false })
      await Promise.all(
        Array.from({ length: 20 }, () => earlier`select set_config('sti.session', 'earlier', false), pg_sleep(0.2)`),
      )
      await earlier.end()
    }
    await withAgent(
      pooler.url,
      FILE,
      async (agent) => {
        const text = await waitFor('the agent says why it is not ready', async () => {
          const answer = await reasons(agent)
          return !answer.includes('not been reached yet') && answer
        })
        expect(text).toMatch(sentence)
        expect((await fetch(`${agent.url}/readyz`)).status).toBe(503)
      },
      boot,
    )
    const [state] = await sql`select to_regnamespace('sti') is not null as created`
    expect(state).toEqual({ created: false })
  })
})

test.runIf(pgBouncerProgram !== null)('a pooler that changes to transaction mode stops the work', async () => {
  await withPooler({ pool_mode: 'session' }, async ({ pooler }) => {
    await withAgent(
      pooler.url,
      FILE,
      async (agent) => {
        await agent.run('expand')
        await pooler.reload({ pool_mode: 'transaction' })
        await waitFor('the agent is no longer ready', async () => /transaction pooling/.test(await reasons(agent)))
        await pooler.reload({ pool_mode: 'session' })
        await waitFor('the agent is ready again', async () => (await fetch(`${agent.url}/readyz`)).ok)
        // A session of the time before may end only at its next use.
        const { id } = await waitFor('a backfill is accepted', () => agent.request('backfill'), {
          ignoreErrors: true,
        })
        expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
      },
      QUIET_LOG,
    )
  })
})
