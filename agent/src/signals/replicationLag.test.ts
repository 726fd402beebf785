import postgres from 'postgres'
import type { Writable } from 'node:stream'
import { expect } from 'vitest'
import { withDedicatedServer } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { createBoundedConnection } from './boundedConnection.ts'
import { createServerQuery } from './serverQuery.ts'
import { isKnown } from './reading.ts'
import { pollReplicationLag } from './replicationLag.ts'
import { waitForValue } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('the lag is the one that the replica reports, and unknown once it disconnects', async () => {
  await withDedicatedServer(async ({ url, sql }) => {
    const database = connect(url, 'a')
    const asked = createBoundedConnection(() => database.engine({ readOnly: true }), 2_000)
    const lag = pollReplicationLag({ server: createServerQuery(asked, 'sti a '), intervalMs: 100, now: Date.now })
    lag.start()
    expect(await waitForValue(lag.read, isKnown)).toMatchObject({ value: { replicas: 0, bytes: 0, seconds: 0 } })

    const [{ start }] = (await sql`select pg_current_wal_flush_lsn() as start`) as unknown as [{ start: string }]
    // A real walsender; this test is the receiver, which reports how far it has replayed.
    const replica = postgres(url, {
      max: 1,
      fetch_types: false,
      connection: { application_name: 'replica1', replication: 'true' },
    })
    const stream = await replica.unsafe(`START_REPLICATION PHYSICAL ${start}`).writable()
    stream.on('error', () => undefined)
    const known = await waitForValue(lag.read, (reading) => 'unknown' in reading)
    expect(known).toEqual({
      unknown: expect.stringMatching(/^replica replica1 at .* has not reported its position yet$/),
    })

    await sql`create table t as select generate_series(1, 10000) as id`
    sendStandbyStatus(stream, lsnToBigint(start))
    const behind = await waitForValue(lag.read, isKnown)
    expect((behind as { value: { bytes: number } }).value.bytes).toBeGreaterThan(100_000)
    const [{ end }] = (await sql`select pg_current_wal_lsn() as end`) as unknown as [{ end: string }]
    await waitForValue(
      () => (sendStandbyStatus(stream, lsnToBigint(end) + 1_000_000n), lag.read()),
      (reading) => isKnown(reading) && reading.value.bytes === 0 && reading.value.replicas === 1,
    )

    await sql`select pg_terminate_backend(pid) from pg_stat_replication`
    const gone = await waitForValue(lag.read, (reading) => 'unknown' in reading)
    expect(gone).toEqual({
      unknown: expect.stringMatching(/replica1.* has been disconnected for \d+ s: reconnect it, or restart/),
    })
    await replica.end({ timeout: 0 })
    lag.stop()
    await asked.end()
    await database.close()
  })
})

function lsnToBigint(lsn: string): bigint {
  const [high, low] = lsn.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

/** Standby status update: written, flushed and replayed up to here. */
function sendStandbyStatus(stream: Writable, lsn: bigint): void {
  const message = Buffer.alloc(34)
  message.write('r')
  for (const offset of [1, 9, 17]) message.writeBigUInt64BE(lsn, offset)
  stream.write(message)
}
