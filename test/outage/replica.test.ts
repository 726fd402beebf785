import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readLaneSums } from '../crash/legacyTable.ts'
import { TOKENS } from '../support/agent.ts'
import { startTcpProxy } from '../support/proxy.ts'
import { startPostgres } from '../support/server.ts'
import { withBusyBackfill, BUSY_FILE, isReady, readOperation, type BusyBackfill } from './busyBackfill.ts'
import { startStreamingReplica } from './streamingReplica.ts'
import { waitFor } from '../support/waitFor.ts'

/** Waits until the backfill is throttled because of the replica; it writes nothing more from then on. */
async function waitForThrottle({ agent, id, sql }: BusyBackfill): Promise<void> {
  await waitFor(
    'it waits for the replica',
    async () => ((await readOperation(agent, id)).progress?.throttled ?? '').startsWith('replication-lag'),
    { ignoreErrors: true },
  )
  const before = await readLaneSums(sql, id)
  await sleep(1_000)
  const after = await readLaneSums(sql, id)
  // The batch in progress still completes.
  expect(after.written - before.written).toBeLessThanOrEqual(100)
}

async function waitForProgress({ agent, id, sql }: BusyBackfill): Promise<void> {
  const before = await readLaneSums(sql, id)
  await waitFor('it resumes', async () => (await readLaneSums(sql, id)).written > before.written, {
    ignoreErrors: true,
  })
  await waitFor('and reports it', async () => (await readOperation(agent, id)).progress?.throttled === null, {
    ignoreErrors: true,
  })
}

test('a lagging replica throttles the backfill; after its promotion, the state is not used until it is adopted', async () => {
  const primary = await startPostgres(['-c', 'wal_keep_size=512MB', '-c', 'fsync=off'])
  const replica = await startStreamingReplica(primary)
  const way = await startTcpProxy(primary.url)
  try {
    const file = `${BUSY_FILE}throttle: { replicationLagBytes: 200000 }\n`
    const found = await withBusyBackfill({ url: way.url, rows: 12_000, file }, async (busy) => {
      await replica.sql`select pg_wal_replay_pause()`
      await waitForThrottle(busy)
      await replica.sql`select pg_wal_replay_resume()`
      await waitForProgress(busy)
      await replica.signalReceiver('SIGSTOP')
      await waitForThrottle(busy)
      await replica.signalReceiver('SIGCONT')
      await waitForProgress(busy)
      // Commits that the primary has confirmed but not sent would be lost with it, whatever the agent does.
      await busy.writers.pause()
      const [at] = await busy.sql<{ lsn: string }[]>`select pg_current_wal_lsn()::text as lsn`
      await waitFor(
        'the replica has everything',
        async () => {
          const [row] = await replica.sql<
            { has: boolean }[]
          >`select pg_last_wal_replay_lsn() >= ${at!.lsn}::pg_lsn as has`
          return row!.has
        },
        { ignoreErrors: true },
      )
      way.refuse(true)
      way.resetConnections()
      await primary.crash()
      await replica.sql`select pg_promote()`
      await replica.sql`checkpoint`
      way.connectTo(replica.url)
      way.refuse(false)
      const reasons = async (): Promise<string> => (await fetch(`${busy.agent.url}/readyz`)).text()
      await waitFor('it reports where the state comes from', async () => /timeline/.test(await reasons()), {
        ignoreErrors: true,
      })
      const adopted = await busy.agent.post('/v1/agent/adopt', { environment: 'staging', reason: 'promoted' })
      expect(adopted).toMatchObject({ status: 200 })
      await waitFor('ready again', () => isReady(busy.agent), { ignoreErrors: true })
      busy.writers.resume()
      // The known replica is now the primary, so the lag is unknown and the backfill waits until a person changes
      // the limit.
      await waitFor(
        'it waits for the missing replica',
        async () =>
          /replica .* has been disconnected/.test((await readOperation(busy.agent, busy.id)).progress?.throttled ?? ''),
        { ignoreErrors: true },
      )
      const tuned = await fetch(`${busy.agent.url}/v1/operations/${busy.id}`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${TOKENS.ann}`, 'content-type': 'application/json' },
        body: JSON.stringify({ limits: { replicationLagBytes: 'none', replicationLagSeconds: 'none' } }),
      })
      expect(tuned.status).toBe(202)
    })
    console.log(`a replica lagged twice and was promoted: ${found}`)
  } finally {
    await way.stop()
    await replica.stop()
    await primary.stop()
  }
})
