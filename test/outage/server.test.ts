import { expect, test } from 'vitest'
import { laneSums } from '../crash/legacy.ts'
import { withDatabase } from '../support/database.ts'
import { startPostgres } from '../support/server.ts'
import { busyBackfill, pause, ready, ROUNDS, stateOf, until } from './busy.ts'

test(
  'PostgreSQL killed with -9 in the middle of a backfill: what was committed without a flush is done again, nothing is lost',
  { timeout: 330_000 + ROUNDS * 30_000 },
  async () => {
    // What no flush has asked for stays in memory for long, so that the kill loses it.
    const server = await startPostgres(['-c', 'wal_writer_delay=10s', '-c', 'wal_writer_flush_after=1GB'])
    try {
      let doneAgain = 0
      const found = await busyBackfill(
        { url: server.url, checkpointInterval: 10_000 },
        async ({ agent, id, sql, writers }) => {
          for (let kill = 0; kill < 1 + ROUNDS; kill++) {
            // The writers' commits would flush ours with theirs.
            await writers.rest()
            let before = 0
            const looking = (async () => {
              for (;;) before = (await laneSums(sql, id)).written
            })().catch(() => undefined)
            await pause(200 + Math.random() * 400)
            await server.crash()
            await looking
            await until('not ready without a database', 15, async () => !(await ready(agent)))
            await server.restart()
            await until('PostgreSQL answers', 20, async () => {
              // The agent may have done some of it again already.
              doneAgain += Math.max(0, before - (await laneSums(sql, id)).written)
              return true
            })
            writers.goOn()
            await until('ready again', 20, () => ready(agent))
            await pause(1_000)
          }
        },
      )
      console.log(`PostgreSQL killed ${1 + ROUNDS} times with -9: ${doneAgain} rows done again, ${found}`)
      expect(doneAgain).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
  },
)

test.each(['cancel', 'terminate'] as const)(
  'statements of the agent that somebody %ss at random moments are done again',
  { timeout: 300_000 },
  async (how) => {
    await withDatabase(async ({ url }) => {
      let hits = 0
      const found = await busyBackfill({ url }, async ({ agent, id, sql }) => {
        for (const end = Date.now() + 8_000; Date.now() < end;) {
          const rows = await sql.unsafe(`select pg_${how}_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'sti %' and state = 'active' and random() < 0.5`)
          hits += rows.length
          await pause(Math.random() * 150)
          if (['succeeded', 'failed'].includes((await stateOf(agent, id).catch(() => null))?.state ?? '')) break
        }
        await pause(3_000)
        // Cancelled again and again where no smaller batch helps, it stands until somebody has looked.
        if ((await stateOf(agent, id)).state === 'paused') await agent.post(`/v1/operations/${id}/resume`, {})
      })
      console.log(`${hits} statements were to ${how}: ${found}`)
      expect(hits).toBeGreaterThan(2)
    })
  },
)
