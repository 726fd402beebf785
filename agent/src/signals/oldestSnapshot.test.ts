import postgres from 'postgres'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { createServerQuery } from './serverQuery.ts'
import { isKnown } from './reading.ts'
import { pollOldestSnapshot } from './oldestSnapshot.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('the oldest snapshot is that of the session that really prevents pruning, and no other', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`create table t as select generate_series(1, 100) as id`
    const database = connect(url, 'a')
    const asked = createBoundedConnection(() => database.engine({ purpose: 'throttle', readOnly: true }), 2_000)
    const snapshot = pollOldestSnapshot({
      server: createServerQuery(asked, 'sti a '),
      intervalMs: 100,
      now: Date.now,
    })
    snapshot.start()
    await waitForValue(snapshot.read, (reading) => isKnown(reading) && reading.value.pid === null)

    const [idle, ours, reader, younger] = ['idle', 'sti a lane 1', 'report', 'younger'].map((name) =>
      session(url, name),
    )
    // Neither prevents pruning: a transaction without a snapshot, and one of the agent.
    await idle!.unsafe('begin; select pg_backend_pid()')
    await ours!.unsafe('begin isolation level repeatable read; select count(*) from t')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(snapshot.read()).toMatchObject({ value: { pid: null, seconds: 0, holder: null } })

    await ours!.unsafe('commit')
    await reader!.unsafe('begin isolation level repeatable read; select count(*) from t')
    await sql`update t set id = id`
    await younger!.unsafe('begin isolation level repeatable read; select count(*) from t')
    const [{ pid }] = (await reader!`select pg_backend_pid() as pid`) as unknown as [{ pid: number }]
    const held = await waitForValue(snapshot.read, (reading) => isKnown(reading) && reading.value.seconds > 0.5)
    expect(held).toMatchObject({ value: { pid, holder: `pid ${pid} (report, idle in transaction)` } })
    // PostgreSQL confirms it: the dead rows remain while the snapshot is open, and are removed after it.
    const removed = async (): Promise<number> => {
      await sql`vacuum t`
      const [row] = await sql<{ dead: number }[]>`select n_dead_tup::int as dead from pg_stat_user_tables`
      return row!.dead
    }
    await sql`select pg_stat_force_next_flush()`
    expect(await removed()).toBe(100)
    await Promise.all([reader!, younger!].map((open) => open.unsafe('commit')))
    await waitForValue(snapshot.read, (reading) => isKnown(reading) && reading.value.pid === null)
    expect(await removed()).toBe(0)

    snapshot.stop()
    await Promise.all([idle!, ours!, reader!, younger!].map((open) => open.end()))
    await asked.end()
    await database.close()
  })
})

function session(url: string, name: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: name } })
}
