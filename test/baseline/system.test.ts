import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import type { CheckResult, Validation } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDedicatedServer } from '../support/database.ts'
import { startPostgres } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { realTimeTest as test } from '../support/realTime.ts'

async function validateSystemLayer(agent: TestAgent, ...checks: string[]): Promise<Record<string, CheckResult>> {
  await agent.run('validation', checks.length > 0 ? { checks } : { layers: ['system'] })
  const validation = await agent.get<Validation>('/v1/rollouts/vehicles/validations/latest')
  return Object.fromEntries(validation.checks.map((check) => [check.check, check]))
}

// A dedicated server, because these checks cover every session of the server.
test('each check of the system layer fails on its own fault only', async () => {
  await withDedicatedServer(async ({ url, sql }) => {
    await createVehicles(sql, 120_000)
    // The load of other processes must not fail the check before it is tested.
    const file = `${VEHICLES_FILE}throttle: { oldestSnapshotSeconds: 1 }\nlimits: { resourceUsage: 0.999999 }\n`
    await withAgent(url, file, async (agent) => {
      await agent.run('expand')
      const healthy = await waitForReading(agent)
      const verdicts = Object.fromEntries(Object.values(healthy).map(({ check, verdict }) => [check, verdict]))
      expect(verdicts).toEqual({
        archiver: 'pass',
        autovacuum: 'pass',
        bloat: 'pass',
        connections: 'pass',
        disk: 'pass',
        memory: 'pass',
        cpu: expect.stringMatching(/pass|fail/) as string,
        'long-transactions': 'pass',
        'replication-lag': 'pass',
        'replication-slots': 'pass',
        'error-ratio': 'inconclusive',
      })
      expect(healthy['error-ratio']!.detail).toContain('the rollout file has no api')
      expect(healthy['memory']!.detail).toMatch(
        /^Memory usage peaked at [\d.]+% \(limit [\d.]+%\) at .*; monitored for [\d.]+% of the time since/,
      )

      // An agent that has stopped has stored its readings.
      await sql`insert into sti.usage_peak values ('vehicles', 'host-disk', clock_timestamp(), 1, clock_timestamp(), 10)`
      expect((await validateSystemLayer(agent, 'disk'))['disk']).toMatchObject({ verdict: 'fail', value: 1 })

      const session = postgres(url, { max: 1, onnotice: () => undefined })
      await session.unsafe('begin isolation level repeatable read; select 1 from vehicles limit 1')
      await waitForPoll(2)
      const held = (await validateSystemLayer(agent, 'long-transactions'))['long-transactions']!
      expect(held).toMatchObject({ verdict: 'fail', limit: 1, detail: expect.stringMatching(/pid \d+/) as string })
      await session.unsafe('rollback')
      await session.end()
      // Readings follow within two seconds.
      await waitForPoll(4)
      expect((await validateSystemLayer(agent, 'long-transactions'))['long-transactions']!.verdict).toBe('pass')

      await sql`alter table vehicles set (autovacuum_enabled = off)`
      expect((await validateSystemLayer(agent, 'autovacuum'))['autovacuum']).toMatchObject({
        verdict: 'fail',
        detail: 'autovacuum is off for public.vehicles: turn it on',
      })
      // Autovacuum is off, so dead rows remain: the table grows to a relevant size and is then nearly emptied.
      // ANALYZE ignores pending statistics of its own session, so they are flushed first.
      const connection = postgres(url, { max: 1, onnotice: () => undefined })
      await connection`update vehicles set name = repeat('x', 200)`
      await connection`delete from vehicles where id % 10 > 0`
      await connection`select pg_stat_force_next_flush()`
      await connection`analyze vehicles`
      await connection.end()
      const bloated = (await validateSystemLayer(agent, 'bloat'))['bloat']!
      expect(bloated).toMatchObject({
        verdict: 'fail',
        detail: expect.stringContaining('pgstattuple is not installed') as string,
      })
      await sql`create extension pgstattuple`
      const measured = (await validateSystemLayer(agent, 'bloat'))['bloat']!
      expect(measured).toMatchObject({
        verdict: 'fail',
        detail: expect.stringContaining('measured with pgstattuple_approx') as string,
      })
      // The first vacuums keep rows that a snapshot of the agent's own readings can still see.
      await expect
        .poll(
          async () => {
            await sql`vacuum full vehicles`
            await sql`analyze vehicles`
            return (await validateSystemLayer(agent, 'bloat'))['bloat']!.verdict
          },
          { timeout: 20_000 },
        )
        .toBe('pass')
    })
  })
})

test('a failing archiver is named, and a role without rights gets unknown values', async () => {
  const server = await startPostgres(['-c', 'archive_mode=on', '-c', 'archive_command=/bin/false'])
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await createVehicles(sql, 100)
    await sql`select pg_switch_wal()`
    await withAgent(server.url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await waitForPoll(3)
      expect((await validateSystemLayer(agent, 'archiver'))['archiver']).toMatchObject({
        verdict: 'fail',
        detail: expect.stringMatching(/^archiving [0-9A-F]{24} fails/) as string,
      })
    })
    const address = new URL(server.url)
    await sql`create role blind login password 'blind'`
    await sql`grant create on database postgres to blind`
    await sql`alter table vehicles owner to blind`
    await sql.unsafe(
      'drop schema sti cascade; alter table vehicles drop column type; grant create on schema public to blind',
    )
    Object.assign(address, { username: 'blind', password: 'blind' })
    await withAgent(address.href, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const found = await validateSystemLayer(agent, 'archiver', 'long-transactions', 'replication-lag', 'connections')
      for (const { check, verdict, detail } of Object.values(found)) {
        expect({ check, verdict }).toEqual({ check, verdict: 'inconclusive' })
        expect(detail).toContain('pg_monitor')
      }
    })
  } finally {
    await sql.end()
    await server.stop()
  }
})

/** The host is read and recorded every five seconds, so the first minute may have too few readings. */
async function waitForReading(agent: TestAgent): Promise<Record<string, CheckResult>> {
  for (const end = Date.now() + 60_000; ; await waitForPoll(1)) {
    const found = await validateSystemLayer(agent)
    const known = ['cpu', 'disk', 'memory', 'connections'].every((name) => found[name]!.verdict !== 'inconclusive')
    if (known || Date.now() > end) return found
  }
}

const waitForPoll = (seconds: number): Promise<void> => sleep(seconds * 1000)
