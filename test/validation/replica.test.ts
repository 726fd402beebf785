import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation, OperationEvent } from '../../agent/src/contract/index.ts'
import { startStreamingReplica } from '../outage/streamingReplica.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { startPostgres } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { findCheck, failedChecks, validate } from './validations.ts'
import { waitFor } from '../support/waitFor.ts'

// Without these limits, a validation would wait for a lagging replica; this test checks what it reads.
const FILE = `${VEHICLES_FILE}throttle: { replicationLagBytes: none, replicationLagSeconds: none }\n`

async function readMessages(agent: TestAgent, kind = 'validation'): Promise<string[]> {
  const { operations } = await agent.get<{ operations: Operation[] }>('/v1/operations')
  const { id } = operations.find((operation) => operation.kind === 'validation')!
  const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${id}/events`)
  return events.filter((event) => event.kind === kind).map((event) => event.message)
}

test('a replica serves the reads once it has replayed all writes; a lagging or unavailable one does not', async () => {
  const primary = await startPostgres(['-c', 'wal_keep_size=512MB', '-c', 'fsync=off'])
  const sql = postgres(primary.url, { max: 2, onnotice: () => undefined })
  await createVehicles(sql, 30_000)
  const replica = await startStreamingReplica(primary)
  try {
    await withAgent(
      primary.url,
      FILE,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await replica.sql`select pg_stat_statements_reset()`
        const served = await validate(agent)
        expect(failedChecks(served)).toEqual([])
        expect(await readMessages(agent)).toEqual(['reads the table on the replica'])
        expect(findCheck(served, 'coverage').detail).toBe(
          '30,000 of 30,000 rows have the type implied by their legacy columns, read on the replica',
        )
        const [read] = await replica.sql<{ calls: number }[]>`
          select coalesce(sum(calls), 0)::int as calls from pg_stat_statements where query like '%bit_xor%'`
        expect(read!.calls).toBeGreaterThan(0)
        // A wrong row that the replica has not replayed yet must not be missed.
        await replica.sql`select pg_wal_replay_pause()`
        await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id = 77;
          alter table public.vehicles enable always trigger "~sti_derive"`)
        const late = await validate(agent, { checks: ['coverage'] })
        expect(findCheck(late, 'coverage')).toMatchObject({ verdict: 'fail', sampleKeys: [['77']] })
        expect((await readMessages(agent))[0]).toMatch(
          /reads the table on the primary instead of the replica: it is still [\d.]+ [KM]?i?B of WAL behind/,
        )
        await replica.sql`select pg_wal_replay_resume()`
        await sql`update public.vehicles set is_bike = is_bike where id = 77`
        expect((await validate(agent, { checks: ['coverage'] })).verdict).toBe('pass')
        await replica.stop()
        const alone = await validate(agent, { checks: ['coverage'] })
        expect(findCheck(alone, 'coverage').detail).toBe(
          '30,000 of 30,000 rows have the type implied by their legacy columns',
        )
        expect((await readMessages(agent))[0]).toMatch(
          /reads the table on the primary instead of the replica: (the connection failed|it did not respond)/,
        )
      },
      { config: { replicaUrl: replica.url } },
    )
  } finally {
    await sql.end({ timeout: 1 })
    await replica.stop().catch(() => undefined)
    await primary.stop()
  }
})

test('the primary takes over if the replica dies or cancels a query midway', async () => {
  const primary = await startPostgres(['-c', 'wal_keep_size=512MB', '-c', 'fsync=off'])
  const sql = postgres(primary.url, { max: 2, onnotice: () => undefined })
  await createVehicles(sql, 30_000)
  await sql.unsafe(`create function public.slowly(is_truck boolean) returns boolean language plpgsql immutable as $$ begin
    if current_setting('transaction_read_only') = 'on' and random() < 0.03 then perform pg_sleep(0.001); end if;
    return is_truck; end $$`)
  const replica = await startStreamingReplica(primary)
  try {
    await withAgent(
      primary.url,
      FILE.replace('when: is_truck', 'when: "slowly(is_truck)"'),
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        const { id } = await agent.request('validation', { checks: ['coverage'] })
        await waitFor('it reads the replica', async () => {
          const { progress } = await agent.get<Operation>(`/v1/operations/${id}`)
          return (progress?.processedRows ?? 0) > 1_000
        })
        // Cancelled repeatedly, like by a recovery conflict; these statements are retried.
        for (let n = 0; n < 3; n++) {
          await replica.sql`select pg_cancel_backend(pid) from pg_stat_activity where application_name like 'sti % validation' and state = 'active'`
          await sleep(200)
        }
        await replica.stop()
        expect((await agent.waitForEnd(id)).result).toMatchObject({ verdict: 'pass', rows: 30_000, coverage: 1 })
        const messages = await readMessages(agent)
        expect(messages[0]).toBe('reads the table on the replica')
        expect(messages).toContain('the replica is unavailable or cancels statements: continues on the primary')
      },
      { config: { replicaUrl: replica.url }, log: () => undefined },
    )
  } finally {
    await sql.end({ timeout: 1 })
    await replica.stop().catch(() => undefined)
    await primary.stop()
  }
})
