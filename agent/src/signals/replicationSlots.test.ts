import { expect, onTestFinished } from 'vitest'
import postgres from 'postgres'
import { startPostgres } from '../../../test/support/server.ts'
import { connect } from '../database/connect.ts'
import { pollArchiveBacklog } from './archiveBacklog.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { createServerQuery } from './serverQuery.ts'
import { isKnown } from './reading.ts'
import { pollSlotRetention } from './replicationSlots.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('a slot retains WAL until PostgreSQL invalidates it; a failing archiver and its backlog are reported', async () => {
  const flags = ['-c', 'archive_mode=on', '-c', 'fsync=off']
  const server = await startPostgres([...flags, '-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'])
  onTestFinished(server.stop)
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  const set = async (name: string, value: string): Promise<void> => {
    await sql.unsafe(`alter system set ${name} = '${value}'`)
    await sql`select pg_reload_conf()`
  }
  await set('archive_command', '/bin/false')
  const database = connect(server.url, 'a')
  const asked = createBoundedConnection(() => database.engine({ purpose: 'throttle', readOnly: true }), 2_000)
  const options = { server: createServerQuery(asked, 'sti a '), intervalMs: 100, now: Date.now }
  const [slots, archive] = [pollSlotRetention(options), pollArchiveBacklog(options)]
  slots.start()
  archive.start()
  const none = { slot: null, retainedBytes: 0, keptAtMostBytes: null, endangered: null }
  expect(await waitForValue(slots.read, isKnown)).toMatchObject({ value: none })

  await sql`select pg_create_physical_replication_slot('idle', true)`
  await sql`create table t as select i, repeat('x', 500) as filler from generate_series(1, 20000) i`
  const kept = await waitForValue(
    slots.read,
    (reading) => isKnown(reading) && reading.value.retainedBytes > 8 * 1024 ** 2,
  )
  expect(kept).toMatchObject({ value: { slot: 'idle', endangered: null } })

  const segment = async (): Promise<void> => {
    await sql`insert into t values (0, '')`
    await sql`select pg_switch_wal()`
  }
  for (let i = 0; i < 3; i++) await segment()
  const failing = await waitForValue(archive.read, (reading) => isKnown(reading) && reading.value.failing !== null, 20)
  expect(failing).toMatchObject({ value: { failing: { file: expect.stringMatching(/^0000/) as string } } })
  await waitForValue(archive.read, (reading) => isKnown(reading) && reading.value.files >= 3)

  await set('archive_command', '/bin/true')
  await waitForValue(
    archive.read,
    (reading) => isKnown(reading) && reading.value.failing === null && reading.value.files === 0,
  )
  // The limit is so low that the slot loses required WAL at the next checkpoint.
  await set('max_slot_wal_keep_size', '1MB')
  const endangered = (status: string) =>
    waitForValue(slots.read, (reading) => isKnown(reading) && reading.value.endangered?.status === status)
  expect(await endangered('unreserved')).toMatchObject({ value: { slot: 'idle', keptAtMostBytes: 1024 ** 2 } })
  for (let i = 0; i < 6; i++) await segment()
  await sql`checkpoint`
  expect(await endangered('lost')).toMatchObject({ value: { slot: null, endangered: { slot: 'idle' } } })
  slots.stop()
  archive.stop()
  await asked.end()
  await database.close()
  await sql.end()
})
