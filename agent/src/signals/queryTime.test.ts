import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { isKnown, type Reading } from './reading.ts'
import { pollQueryTime } from './queryTime.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('query time is the mean of the last interval’s statements, without STI’s own; a missing extension is reported', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'a')
    const asked = createBoundedConnection(() => database.engine({ readOnly: true }), 2_000)
    const time = pollQueryTime({ connection: asked, intervalMs: 300, now: Date.now })
    time.start()
    const missing = 'pg_stat_statements is missing: run CREATE EXTENSION pg_stat_statements'
    await waitForValue(time.read, (reading) => 'unknown' in reading && reading.unknown === missing)

    await sql`create schema "Extra Things"`
    await sql`create extension pg_stat_statements schema "Extra Things"`
    await sql`create schema sti`
    await sql`create table sti.lane (id int)`
    const idle = { unknown: 'no statement ended in the last interval' }
    await waitForValue(time.read, (reading) => JSON.stringify(reading) === JSON.stringify(idle))
    await sql`select count(*), pg_sleep(0.4) from sti.lane`
    await sql`select /* sti */ pg_sleep(0.4)`
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(time.read()).toEqual(idle)

    await sql`select pg_sleep(0.2), 1`
    const seen: Reading<number> = await waitForValue(time.read, isKnown)
    expect((seen as { value: number }).value).toBeGreaterThan(0.19)
    expect((seen as { value: number }).value).toBeLessThan(0.4)
    time.stop()
    await asked.end()
    await database.close()
  })
})
