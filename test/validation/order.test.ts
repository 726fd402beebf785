import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'

const ROWS = 300_000

test('rows that are not in key order are read by the index, not with a scan of the table per range', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create table public.vehicles (id uuid primary key, is_truck boolean not null, is_bike boolean not null);
      insert into public.vehicles select gen_random_uuid(), n % 3 = 0, n % 7 = 0 from generate_series(1, ${ROWS}) n`)
    await sql`vacuum analyze public.vehicles`
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await sql`vacuum analyze public.vehicles`
      const before = await wholeScans()
      const { result } = await agent.run('validation', { checks: ['coverage', 'type-matches-legacy'] })
      expect(result).toMatchObject({ verdict: 'pass', rows: ROWS, coverage: 1 })
      expect((await wholeScans()) - before).toBe(0)
    })
    // By backends that have reported their statistics by now.
    async function wholeScans(): Promise<number> {
      await sleep(1_500)
      const [row] = await sql<{ scans: number }[]>`
        select seq_scan::int as scans from pg_stat_user_tables where relname = 'vehicles'`
      return row!.scans
    }
  })
})
