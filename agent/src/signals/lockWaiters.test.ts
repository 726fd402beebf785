import postgres from 'postgres'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { pollLockWaiters } from './lockWaiters.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { createServerQuery } from './serverQuery.ts'
import { isKnown } from './reading.ts'
import { createRefCountedPolls } from './poll.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('sessions that wait for STI are counted, those that wait for others are not', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`create table t (id int)`
    const database = connect(url, 'a')
    const asked = createBoundedConnection(() => database.engine({ purpose: 'pressure', readOnly: true }), 2_000)
    const pressure = pollLockWaiters({ server: createServerQuery(asked, 'sti a '), now: Date.now })
    expect(isKnown(pressure.read())).toBe(false)
    const watch = createRefCountedPolls([pressure])
    const [stop, stopAgain] = [watch(), watch()]
    const waiting = (count: number): Promise<unknown> =>
      waitForValue(pressure.read, (reading) => isKnown(reading) && reading.value.waiters === count)

    const other = session(url, 'sti another lane')
    await other.unsafe('begin; lock table t')
    const behindOther = sql`select * from t`.execute()
    await waitForValue(
      () => sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      (rows) => rows.length === 1,
    )
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(pressure.read()).toMatchObject({ value: { waiters: 0, seconds: 0 } })
    await other.unsafe('commit')
    await behindOther

    const ours = session(url, 'sti a lane 1')
    await ours.unsafe('begin; lock table t')
    const behind = [sql`select * from t`.execute(), sql`select * from t`.execute()]
    const began = performance.now()
    await waiting(2)
    expect(performance.now() - began).toBeLessThan(2_000)
    stop()
    stop()
    await ours.unsafe('commit')
    await Promise.all(behind)
    await waiting(0)
    stopAgain()
    expect(isKnown(pressure.read())).toBe(false)
    await Promise.all([other.end(), ours.end()])
    await asked.end()
    await database.close()
  })
})

function session(url: string, name: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: name } })
}
