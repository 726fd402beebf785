import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import type { FailpointName } from '../../agent/src/kind/failpoints.ts'
import { tableStructureSql } from '../../agent/src/ddl/tableStructure.ts'
import { findJournalFaults } from '../crash/journalFaults.ts'
import { startAgentRelay } from '../crash/agentRelay.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/proxy.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readRows, startMixedTraffic } from './mixedTraffic.ts'

/** `STI_TRAFFIC_WRITES=18000` writes for longer. */
const WRITES = Number(process.env['STI_TRAFFIC_WRITES'] ?? 600)

/** The catalog's content on the table and the database, whoever created it. */
async function readCatalog(sql: postgres.Sql): Promise<unknown> {
  const [found] = await sql`
    select ${sql.unsafe(tableStructureSql('"public"."vehicles"'))} as "table", (select jsonb_agg(format('%s.%s', n.nspname, p.proname) order by 1) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' or p.proname like 'derive\\_%') as functions,
      (select jsonb_agg(setconfig) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
        where d.datname = current_database()) as settings`
  return found
}

interface RollbackCase {
  readonly before: string
  readonly kills: readonly FailpointName[]
  /** The column existed before the rollout and exists afterwards. */
  readonly kept: boolean
}

test.each([
  ['a column created by STI', { before: '', kills: ['rollback.reverted', 'system.compared'], kept: false }],
  [
    'an existing column',
    {
      before: 'alter table public.vehicles add column type text',
      kept: true,
      kills: ['rollback.clear', 'system.reverted'],
    },
  ],
] as [string, RollbackCase][])(
  'sti rollback all reverts everything after the flag was on for all, with %s, with concurrent writers and killed agents',
  { timeout: 180_000 + WRITES * 20 },
  async (_, { before, kills, kept }) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 2_000)
      await sql.unsafe(
        `alter table public.vehicles alter is_truck set default false, alter is_bike set default false; ${before}`,
      )
      const left = new Set(kills)
      // The command has one address, at which one agent after the other answers.
      const door = await startTcpProxy('http://127.0.0.1:1')
      const at = door.url.replace(/\/$/, '')
      const relay = await startAgentRelay(url, sql, VEHICLES_FILE, {
        points: left,
        how: () => ({ arrival: 1, delayMs: 0 }),
        died: async (point) =>
          expect({ point, faults: await findJournalFaults(sql, !kept) }).toEqual({ point, faults: [] }),
        lives: (agent) => door.connectTo(agent),
      })
      const oracle = await readRows(sql)
      const origin = await readCatalog(sql)
      const traffic = startMixedTraffic(url, at, oracle, 3, 5)
      try {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize', 'monitoring'] as const)
          await relay.run(kind)
        await relay.run('flag', { enabled: true, percentage: 100 })
        const { old, new: fresh } = traffic.writes
        await traffic.waitForWrites(old + fresh + WRITES)
        expect(traffic.writes.new).toBeGreaterThan(fresh + WRITES / 2)
        traffic.touched.clear()
        const typed = async (): Promise<Map<string, string>> => {
          const rows = kept
            ? await sql<{ id: string; type: string }[]>`select id, type from public.vehicles where type is not null`
            : []
          return new Map(rows.map(({ id, type }) => [id, type]))
        }
        await withSti(async (sti) => {
          const all = (): ReturnType<typeof sti> =>
            sti(at, 'rollback', 'all', '--confirm', 'vehicles', '--reason', 'test')
          const first = await all()
          expect(first, first.err).toMatchObject({ code: 0 })
          expect([...left]).toEqual([])
          await traffic.waitForWrites(traffic.writes.old + traffic.writes.new + 200)
          expect(await readCatalog(sql)).toEqual(origin)
          expect(await findJournalFaults(sql, !kept)).toEqual([])
          expect(await sql`select kind, object from sti.change where reverted_at is null`).toEqual([])
          if (kept) {
            expect([...(await typed()).keys()].filter((id) => !traffic.touched.has(id))).toEqual([])
            // From here on, the column belongs to the application again.
            await sql`update public.vehicles set type = 'Car' where id in (select id from public.vehicles where not is_truck and not is_bike order by id limit 5)`
          }
          const theirs = await typed()
          const again = await all()
          expect(again, again.err).toMatchObject({ code: 0 })
          for (const scope of ['data', 'system', 'monitoring'])
            expect(again.out).toContain(`${scope}: nothing to roll back`)
          const after = await typed()
          expect([...theirs].filter(([id, type]) => after.get(id) !== type && oracle.has(id))).toEqual([])
        })
      } finally {
        await traffic.stop()
        await relay.stop()
        await door.stop()
      }
      const found = await readRows(sql)
      expect([...oracle].filter(([id, row]) => JSON.stringify(found.get(id)) !== JSON.stringify(row))).toEqual([])
      expect(found.size).toBe(oracle.size)
      expect(await sql<Operation[]>`select id, kind, error from sti.operation where state <> 'succeeded'`).toEqual([])
    })
  },
)
