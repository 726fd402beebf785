import postgres from 'postgres'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { pollDatabaseActivity, type DatabaseActivity } from './databaseActivity.ts'
import type { Poll } from './poll.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { createServerQuery } from './serverQuery.ts'
import { isKnown } from './reading.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('lock wait, oldest transaction, connections, and hit ratio match real sessions', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`create table t as select i as id, repeat('x', 500) as filler from generate_series(1, 5000) i`
    const [holder, waiter] = [session(url, 'holder'), session(url, 'waiter')]
    await withActivity(url, async (activity) => {
      await waitForValue(activity.read, ({ bufferHitRatio }) => isKnown(bufferHitRatio))
      await holder.unsafe('begin; lock table t')
      const [{ pid }] = (await holder`select pg_backend_pid() as pid`) as unknown as [{ pid: number }]
      const waiting = waiter`select count(*) from t`.execute()
      const held = await waitForValue(activity.read, ({ lockWaitSeconds: wait }) => isKnown(wait) && wait.value > 0.3)
      expect(held.lockWaiters).toMatchObject({ value: 1 })
      expect(held.oldestTransaction).toMatchObject({ value: { pid } })
      expect((held.oldestTransaction as { value: { seconds: number } }).value.seconds).toBeGreaterThan(0.3)
      const states = (held.connections as { value: Record<string, number> }).value
      expect(states['idle in transaction']).toBeGreaterThanOrEqual(1)
      expect(states['active']).toBeGreaterThanOrEqual(1)
      expect(held.connectionsLimit).toMatchObject({ value: 200 })

      await holder.unsafe('commit')
      await waiting
      const released = await waitForValue(activity.read, ({ lockWaiters: at }) => isKnown(at) && at.value === 0)
      expect(released.lockWaitSeconds).toMatchObject({ value: 0 })
      await waitForValue(activity.read, ({ oldestTransaction: at }) => isKnown(at) && at.value.pid === null)
      const { bufferHitRatio } = await waitForValue(
        activity.read,
        ({ bufferHitRatio: at }) => isKnown(at) && at.value > 0.5,
      )
      expect((bufferHitRatio as { value: number }).value).toBeLessThanOrEqual(1)
    })
    await Promise.all([holder.end(), waiter.end()])
  })
})

test('a role that cannot see other sessions reads the locks, and reports the rest as unknown', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`drop role if exists sti_blind`
    await sql`create role sti_blind login password 'blind'`
    const address = new URL(url)
    address.username = 'sti_blind'
    address.password = 'blind'
    await withActivity(address.href, async (activity) => {
      const blind = await waitForValue(activity.read, ({ lockWaiters }) => isKnown(lockWaiters))
      const grant = 'the role sti_blind cannot see other sessions: GRANT pg_monitor TO "sti_blind"'
      expect(blind.oldestTransaction).toEqual({ unknown: grant })
      expect(blind.connections).toEqual({ unknown: grant })
      await sql`grant pg_monitor to sti_blind`
      await waitForValue(activity.read, ({ oldestTransaction }) => isKnown(oldestTransaction))
    })
    await sql`drop role sti_blind`
  })
})

function session(url: string, name: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: name } })
}

async function withActivity(url: string, test: (activity: Poll<DatabaseActivity>) => Promise<void>): Promise<void> {
  const database = connect(url, 'a')
  const connection = createBoundedConnection(() => database.engine({ purpose: 'signals', readOnly: true }), 2_000)
  const activity = pollDatabaseActivity({
    server: createServerQuery(connection, 'sti a '),
    intervalMs: 100,
    now: Date.now,
  })
  activity.start()
  try {
    await test(activity)
  } finally {
    activity.stop()
    await connection.end()
    await database.close()
  }
}
