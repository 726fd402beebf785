import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readLaneSums } from '../crash/legacyTable.ts'
import { withDatabase } from '../support/database.ts'
import { startPostgres } from '../support/server.ts'
import { withBusyBackfill, isReady, ROUNDS, readOperation } from './busyBackfill.ts'
import { waitFor } from '../support/waitFor.ts'

test(
  'after PostgreSQL is killed with SIGKILL in the middle of a backfill, commits without a flush are repeated, and no row is lost',
  { timeout: 330_000 + ROUNDS * 30_000 },
  async () => {
    // Unflushed commits stay in memory for a long time, so that the kill loses them.
    const server = await startPostgres(['-c', 'wal_writer_delay=10s', '-c', 'wal_writer_flush_after=1GB'])
    try {
      let doneAgain = 0
      const found = await withBusyBackfill(
        { url: server.url, checkpointInterval: 10_000 },
        async ({ agent, id, sql, writers }) => {
          for (let kill = 0; kill < 1 + ROUNDS; kill++) {
            // The writers' commits would also flush those of the engine.
            await writers.pause()
            let before = 0
            const looking = (async () => {
              for (;;) before = (await readLaneSums(sql, id)).written
            })().catch(() => undefined)
            await sleep(200 + Math.random() * 400)
            await server.crash()
            await looking
            await waitFor('not ready without a database', async () => !(await isReady(agent)), {
              ignoreErrors: true,
            })
            await server.restart()
            await waitFor(
              'PostgreSQL answers',
              async () => {
                // The agent may already have repeated some of it.
                doneAgain += Math.max(0, before - (await readLaneSums(sql, id)).written)
                return true
              },
              { ignoreErrors: true },
            )
            writers.resume()
            await waitFor('ready again', () => isReady(agent), { ignoreErrors: true })
            await sleep(1_000)
          }
        },
      )
      console.log(`PostgreSQL killed ${1 + ROUNDS} times with SIGKILL: ${doneAgain} rows repeated, ${found}`)
      expect(doneAgain).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
  },
)

test.each(['cancel', 'terminate'] as const)('the agent repeats its statements after a random %s', async (how) => {
  await withDatabase(async ({ url }) => {
    let hits = 0
    const found = await withBusyBackfill({ url }, async ({ agent, id, sql }) => {
      for (const end = Date.now() + 8_000; Date.now() < end;) {
        const rows = await sql.unsafe(`select pg_${how}_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'sti %' and state = 'active' and random() < 0.5`)
        hits += rows.length
        await sleep(Math.random() * 150)
        if (['succeeded', 'failed'].includes((await readOperation(agent, id).catch(() => null))?.state ?? '')) break
      }
      await sleep(3_000)
      // If statements are cancelled repeatedly and smaller batches do not help, the backfill is paused for a person
      // to check.
      if ((await readOperation(agent, id)).state === 'paused') await agent.post(`/v1/operations/${id}/resume`, {})
    })
    console.log(`${hits} statements hit by ${how}: ${found}`)
    expect(hits).toBeGreaterThan(2)
  })
})
