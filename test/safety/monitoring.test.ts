import { expect, test } from 'vitest'
import type { OperationEvent } from '../../agent/src/contract/index.ts'
import type postgres from 'postgres'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { createDatabase, createRoles, DEMO_ROLES } from '../../demo/seed/createDatabase.ts'
import { withDatabase, withDedicatedServer } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { withAgentRole } from './agentRole.ts'

/** The settings for new sessions of this database, for all roles or for one role. */
async function readSettings(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ setting: string }[]>`
    select coalesce(r.rolname || ': ', '') || c as setting from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
      left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c where d.datname = current_database() order by 1`
  return rows.map((row) => row.setting)
}

const sampled = async (agent: TestAgent): Promise<number> => (await agent.rollout()).monitoring.samplingSeconds
const ENHANCED_SETTINGS = ['pg_stat_statements.track=all', 'track_io_timing=on']

test('enhanced monitoring is journaled, applies to new sessions, and its rollback restores the earlier settings', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    const name = new URL(url).pathname.slice(1)
    await sql.unsafe(
      `alter database ${name} set pg_stat_statements.track = 'none'; alter database ${name} set work_mem = '5MB'`,
    )
    const before = await readSettings(sql)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      expect((await agent.preview('monitoring')).statements).toHaveLength(3)
      expect(await readSettings(sql)).toEqual(before)
      expect(await sampled(agent)).toBe(5)

      await agent.run('monitoring')
      expect(await readSettings(sql)).toEqual([...ENHANCED_SETTINGS, 'work_mem=5MB'])
      expect(await sampled(agent)).toBe(1)
      expect((await agent.rollout()).monitoring).toMatchObject({
        enhanced: true,
        refused: [],
        changes: [
          { object: 'sampling of vehicles', before: '5 s', now: '1 s' },
          { object: `track_io_timing of database ${name}`, before: null, now: 'on' },
          { object: `pg_stat_statements.track of database ${name}`, before: 'none', now: 'all' },
        ],
      })
      await expect(agent.run('monitoring')).rejects.toThrow(/already enabled/)
      // It does not change the table, so a rollback of the table has nothing to revert.
      await expect(agent.run('rollback', { scope: 'data', confirm: 'vehicles' })).rejects.toThrow(
        /nothing to roll back/,
      )

      await agent.run('rollback', { scope: 'monitoring' })
      expect(await readSettings(sql)).toEqual(before)
      expect(await sampled(agent)).toBe(5)
      const journal =
        await sql`select count(*)::int as changes, count(reverted_at)::int as reverted, count(not_reverted_reason)::int as kept from sti.change`
      expect(journal[0]).toEqual({ changes: 3, reverted: 3, kept: 0 })
      await expect(agent.run('rollback', { scope: 'monitoring' })).rejects.toThrow(/not enabled/)
    })
  })
})

test('a setting that someone else has changed is kept and named', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    const name = new URL(url).pathname.slice(1)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('monitoring')
      await sql.unsafe(
        `alter database ${name} set track_io_timing = 'off'; alter database ${name} reset pg_stat_statements.track`,
      )
      const off = await agent.run('monitoring', { enabled: false })
      expect(await readSettings(sql)).toEqual(['track_io_timing=off'])
      expect(off.result).toEqual({
        reverted: 1,
        kept: [],
        left: [
          `track_io_timing of database ${name}: it is off now, not on as STI set it`,
          `pg_stat_statements.track of database ${name}: it is not set now, not all as STI set it`,
        ],
      })
      const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${off.id}/events`)
      expect(events.map(({ message }) => message).join('\n')).toMatch(/kept: track_io_timing/)
    })
  })
})

test('the settings of one database remain until the last of two rollouts no longer needs them', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await sql`create table public.lorries as select * from public.vehicles`
    await sql`alter table public.lorries add primary key (id)`
    const lorries = VEHICLES_FILE.replaceAll('vehicles', 'lorries')
    await withAgent(url, VEHICLES_FILE, async (first) => {
      await withAgent(
        url,
        lorries,
        async (second) => {
          await first.run('monitoring')
          await second.run('monitoring')
          const back = await first.run('rollback', { scope: 'monitoring' })
          expect(back.result).toMatchObject({ reverted: 1, left: [] })
          expect((back.result!['kept'] as string[]).join()).toMatch(/track_io_timing.*: lorries,.*: lorries/)
          expect(await readSettings(sql)).toEqual(ENHANCED_SETTINGS)
          await second.run('rollback', { scope: 'monitoring' })
          expect(await readSettings(sql)).toEqual([])
        },
        { name: 'agent-2' },
      )
    })
  })
})

test('a setting that the role cannot change is named, and the others are applied', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    const name = new URL(url).pathname.slice(1)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      // Before anything starts, the dialog, the dry run, and the command name what is missing.
      const grant = (setting: string) =>
        `${role} may not set ${setting}. Run as a superuser: grant set on parameter ${setting} to "${role}".`
      const grants = [grant('track_io_timing'), grant('pg_stat_statements.track')]
      expect((await agent.preview('monitoring')).warnings).toEqual(grants)
      expect((await agent.preview('backfill', { enableMonitoring: true })).warnings).toEqual(grants)
      expect((await agent.preview('backfill')).warnings).toEqual([])
      await withSti(async (sti) => {
        const { err } = await sti(agent.url, 'backfill', '--enable-monitoring', '--detach')
        expect(err).toContain(`Warning: ${grant('pg_stat_statements.track')}`)
      })
      expect((await agent.rollout()).monitoring.enhanced).toBe(false)
      await agent.run('monitoring')
      expect(await readSettings(sql)).toEqual([])
      const { refused, enhanced } = (await agent.rollout()).monitoring
      expect([enhanced, ...refused]).toEqual([
        true,
        `${role} may not set track_io_timing. Run as a superuser: grant set on parameter track_io_timing to "${role}".`,
        `${role} may not set pg_stat_statements.track. Run as a superuser: grant set on parameter pg_stat_statements.track to "${role}".`,
      ])

      // After the grant it can be requested again; without owning the database it applies to the role's own sessions.
      await sql.unsafe(`grant set on parameter track_io_timing, pg_stat_statements.track to ${role}`)
      await agent.run('monitoring')
      expect(await readSettings(sql)).toEqual(ENHANCED_SETTINGS.map((setting) => `${role}: ${setting}`))
      expect((await agent.rollout()).monitoring.refused[0]).toMatch(
        new RegExp(
          `sessions of the agent only, because ${role} does not own the database. To set it for all sessions, run as the owner: alter database "${name}" set`,
        ),
      )
      await agent.run('rollback', { scope: 'monitoring' })
      expect(await readSettings(sql)).toEqual([])
      expect((await agent.rollout()).monitoring).toMatchObject({ enhanced: false, changes: [], refused: [] })
    })
  })
})

test('the role of the demo may apply all of it', async () => {
  await withDedicatedServer(async ({ url, sql }) => {
    await createRoles(sql, { agent: 'agent', application: 'application' })
    const demo = new URL(url)
    demo.pathname = '/demo'
    await createDatabase(demo.href, 100)
    demo.username = DEMO_ROLES.agent
    demo.password = 'agent'
    await withAgent(demo.href, VEHICLES_FILE, async (agent) => {
      const { result } = await agent.run('monitoring')
      expect(result).toEqual({ changed: [expect.anything(), expect.anything(), expect.anything()], refused: [] })
      expect((await agent.rollout()).monitoring.changes.map(({ object }) => object)).toEqual([
        'sampling of vehicles',
        'track_io_timing of database demo',
        'pg_stat_statements.track of database demo',
      ])
    })
  })
})

test('a backfill with --enable-monitoring enables it once; only an admin rolls it back', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const request = { kind: 'backfill', environment: 'staging', parameters: { enableMonitoring: true } }
      const post = (): Promise<{ status: number; body: { id: number } }> =>
        agent.post('/v1/rollouts/vehicles/operations', request, { 'idempotency-key': 'once' })
      await agent.waitForEnd((await post()).body.id)
      await post()
      const on = await sql<
        { id: string; state: string }[]
      >`select id, state from sti.operation where kind = 'monitoring'`
      expect(on).toHaveLength(1)
      await agent.waitForEnd(Number(on[0]!.id))
      expect(await readSettings(sql)).toEqual(ENHANCED_SETTINGS)
      const { events } = await agent.get<{ events: OperationEvent[] }>('/v1/rollouts/vehicles/events')
      expect(events.some(({ kind }) => kind === 'reading')).toBe(true)

      const asBob = { authorization: `Bearer ${TOKENS.bob}` }
      for (const [kind, parameters] of [
        ['rollback', { scope: 'monitoring' }],
        ['monitoring', { enabled: false }],
      ] as const) {
        const body = { kind, environment: 'staging', parameters }
        expect((await agent.post('/v1/rollouts/vehicles/operations', body, asBob)).status).toBe(403)
      }
    })
  })
})
