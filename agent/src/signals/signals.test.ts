import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { isKnown } from './reading.ts'
import { createSignals } from './signals.ts'
import type { MonitoredRollout } from './signalConfig.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('the signals of a rollout follow its file, and its custom SQL is read-only', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql`create table job (id int)`
    await sql`insert into job select generate_series(1, 7)`
    const rollout: MonitoredRollout = {
      name: 'vehicles',
      nameSearchPath: 'pg_catalog, public, pg_temp',
      table: { schema: 'public', name: 'job', sql: 'public.job' },
      file: {
        host: 'local',
        signals: [
          { name: 'queue-depth', sql: 'select count(*) from job', limit: 10 },
          { name: 'writing', sql: 'with d as (delete from job returning 1) select count(*) from d', limit: 1 },
          { name: 'two', sql: 'select 1; select 2', limit: 1 },
          { name: 'wide', sql: 'select 1, 2', limit: 1 },
          { name: 'nothing', sql: 'select null::int', limit: 1 },
          { name: 'slow', sql: 'select 1 from pg_sleep(3)', limit: 1 },
          { name: 'elsewhere', promql: 'up', limit: 1 },
        ],
      },
    }
    const database = connect(url, 'a')
    const signals = createSignals({ database, agent: 'a', rollouts: [rollout], prometheusUrl: null, now: Date.now })
    expect(signals.database().lockWaiters).toEqual({ unknown: 'it has not been read yet' })
    signals.start()
    const found = await waitForValue(
      () =>
        signals
          .custom('vehicles')
          .map(({ name, reading }) => [name, 'value' in reading ? reading.value : reading.unknown]),
      (all) => all.every(([, reading]) => reading !== 'it has not been read yet'),
    )
    expect(Object.fromEntries(found)).toEqual({
      'queue-depth': 7,
      writing: expect.stringMatching(/^the query is refused: it must not write/),
      two: 'the query is refused: it must be exactly one SELECT.',
      wide: 'signal wide must return one row with one column',
      nothing: 'signal nothing does not return a number',
      slow: expect.stringMatching(/statement timeout|did not answer within 2000 ms/),
      elsewhere: 'the agent has no Prometheus: set STI_PROMETHEUS_URL',
    })
    expect(signals.api('vehicles').latencyP95).toEqual({ unknown: 'the rollout file has no api' })
    expect(signals.api('unheard').latencyP95).toEqual({ unknown: 'rollout unheard is not monitored' })
    expect(isKnown(signals.host('vehicles').memory)).toBe(process.platform === 'linux')
    await waitForValue(() => signals.replication(), isKnown)
    await signals.stop()
    expect(signals.database().lockWaiters).toEqual({ unknown: 'it is not being read now' })
    await database.close()
  })
})

test('the signals accept a compiled rollout', () => {
  const fits: Rollout extends MonitoredRollout ? true : false = true
  expect(fits).toBe(true)
})
