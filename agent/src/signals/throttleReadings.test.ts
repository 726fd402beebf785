import postgres from 'postgres'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { isKnown, type Reading } from './reading.ts'
import { createSignals } from './signals.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('WAL rate, connections, and autovacuum are those of the server, and unknown while they are not monitored', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create table job (id int) partition by range (id);
      create table job_1 partition of job for values from (0) to (100000);
      alter table job_1 set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)`)
    const database = connect(url, 'a')
    const rollouts = [
      {
        name: 'jobs',
        nameSearchPath: 'pg_catalog',
        table: { schema: 'public', name: 'job', sql: '"public"."job"' },
        file: {},
      },
    ]
    const signals = createSignals({ database, agent: 'a', rollouts, prometheusUrl: null, now: Date.now })
    signals.start()
    const { readings, stop } = signals.watchThrottle('jobs')
    const idle = knownValue(await waitForValue(readings.walRate, isKnown))
    expect(idle).toBeGreaterThanOrEqual(0)
    expect(await waitForValue(readings.autovacuum, isKnown)).toMatchObject({ value: { seconds: 0, pid: null } })
    expect(readings.apiLatencyP95()).toEqual({ unknown: 'the rollout file has no api' })

    await sql`insert into job select generate_series(1, 50000)`
    await sql`update job set id = id`
    await sql`select pg_stat_force_next_flush()`
    const busy = await waitForValue(readings.walRate, (reading) => isKnown(reading) && reading.value > 500_000)
    expect(knownValue(busy)).toBeLessThan(1e9)
    const vacuum = await waitForValue(
      readings.autovacuum,
      (reading) => isKnown(reading) && reading.value.seconds > 0,
      30,
    )
    const [worker] = await sql<
      { pid: number }[]
    >`select pid from pg_stat_progress_vacuum where relid = 'job_1'::regclass`
    expect(vacuum).toMatchObject({ value: { pid: worker!.pid } })

    const before = knownValue(await waitForValue(readings.connections, isKnown))
    const more = Array.from({ length: 20 }, () => postgres(url, { max: 1, onnotice: () => undefined }))
    await Promise.all(more.map((session) => session`select 1`))
    // Other tests open and close connections on the same server; 20 of 200 are a tenth.
    await waitForValue(readings.connections, (reading) => isKnown(reading) && reading.value > before + 0.05)
    await Promise.all(more.map((session) => session.end()))

    stop()
    const quiet = { unknown: 'it is not being read now' }
    expect([readings.walRate(), readings.slots(), readings.archive(), readings.oldestSnapshot()]).toEqual(
      Array.from({ length: 4 }, () => quiet),
    )
    await sql`alter table job_1 reset (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)`
    await signals.stop()
    await database.close()
  })
})

test('without pg_monitor, signals that require it are unknown, and the reason names the grant', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`drop role if exists sti_blinder`
    await sql`create role sti_blinder login password 'blind'`
    const address = new URL(url)
    address.username = 'sti_blinder'
    address.password = 'blind'
    const database = connect(address.href, 'a')
    const rollouts = [
      { name: 'jobs', nameSearchPath: 'pg_catalog', table: { schema: 'public', name: 'job', sql: 'job' }, file: {} },
    ]
    const signals = createSignals({ database, agent: 'a', rollouts, prometheusUrl: null, now: Date.now })
    signals.start()
    const { readings, stop } = signals.watchThrottle('jobs')
    const grant = { unknown: expect.stringContaining('GRANT pg_monitor TO "sti_blinder"') as string }
    for (const read of [readings.lockWaiters, readings.oldestSnapshot, readings.autovacuum, readings.connections])
      await waitForValue<Reading<unknown>>(read, (reading) => 'unknown' in reading && /GRANT/.test(reading.unknown))
    expect([readings.oldestSnapshot(), readings.autovacuum(), readings.connections()]).toEqual([grant, grant, grant])
    // Every role can read these; archiving is off here.
    await waitForValue(readings.slots, isKnown)
    await waitForValue(readings.archive, isKnown)
    stop()
    await signals.stop()
    await database.close()
    await sql`drop role sti_blinder`
  })
})

function knownValue(reading: Reading<number>): number {
  return isKnown(reading) ? reading.value : NaN
}
