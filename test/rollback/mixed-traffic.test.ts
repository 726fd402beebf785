import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { QUIET_LOG } from '../support/operations.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readRows, startMixedTraffic, type LegacyOracle } from './mixedTraffic.ts'
import { waitFor } from '../support/waitFor.ts'

/** An hour at five writes a second. `STI_TRAFFIC_WRITES=200000` takes longer. */
const WRITES = Number(process.env['STI_TRAFFIC_WRITES'] ?? 18_000)

const checksum = (rows: LegacyOracle): string => {
  const hash = createHash('sha256')
  for (const [id, row] of [...rows].toSorted(([a], [b]) => Number(a) - Number(b)))
    hash.update(JSON.stringify([id, row]))
  return hash.digest('hex')
}

test.each([
  ['data', WRITES],
  ['system', WRITES / 6],
] as const)(
  'a rollback of scope %s after and during %i writes of old and new code loses no edit',
  { timeout: 120_000 + WRITES * 20 },
  async (scope, writes) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 5_000)
      await sql`alter table public.vehicles alter is_truck set default false, alter is_bike set default false`
      await withAgent(
        url,
        VEHICLES_FILE,
        async (agent) => {
          for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
          const oracle = await readRows(sql)
          const traffic = startMixedTraffic(url, agent.url, oracle, 4)
          try {
            await traffic.waitForWrites(writes / 6)
            await agent.run('flag', { enabled: true, percentage: 100 })
            await traffic.waitForWrites(writes)
            const { result } = await agent.run('rollback', { scope, confirm: 'vehicles' })
            expect(result).toMatchObject({ archivedValues: 0, origin: { structure: 'as before expand' } })
            const after = traffic.writes.old
            await waitFor('old code continues', async () => traffic.writes.old > after + 200)
          } finally {
            await traffic.stop()
          }
          const found = await readRows(sql)
          const lost = [...oracle].filter(([id, row]) => JSON.stringify(found.get(id)) !== JSON.stringify(row))
          expect(lost).toEqual([])
          expect(found.size).toBe(oracle.size)
          expect(checksum(found)).toBe(checksum(oracle))
          expect(traffic.writes.new).toBeGreaterThan(writes / 3)
          console.log(
            `rollback of scope ${scope} after ${traffic.writes.old} writes of old code and ${traffic.writes.new} of new: ${lost.length} edits lost`,
          )
        },
        QUIET_LOG,
      )
    })
  },
)
