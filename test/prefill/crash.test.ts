import { expect, test } from 'vitest'
import type { FailpointName } from '../../agent/src/kind/failpoints.ts'
import { findJournalFaults } from '../crash/journalFaults.ts'
import { startAgentRelay } from '../crash/agentRelay.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

test('an agent that dies around the prefill transaction leaves all or nothing, and the next agent continues', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    const left = new Set<FailpointName>([
      'expand.begun',
      'expand.looked',
      'ddl.sending',
      'ddl.committed',
      'expand.told',
    ])
    const died: FailpointName[] = []
    const relay = await startAgentRelay(url, sql, `${VEHICLES_FILE}prefill: majority\n`, {
      points: left,
      how: () => ({ arrival: 1, delayMs: 0 }),
      async died(point) {
        died.push(point)
        expect({ point, faults: await findJournalFaults(sql, true) }).toEqual({ point, faults: [] })
      },
    })
    try {
      const expand = await relay.run('expand')
      expect(died).toEqual(['expand.begun', 'expand.looked', 'ddl.sending', 'ddl.committed'])
      // The journal records the change of the agent that died.
      expect(expand.result).toEqual({ prefill: { type: 'Car', share: 0.6, sampledRows: 1_000 } })
      expect(await sql`select type, count(*)::int as n from public.vehicles group by 1`).toEqual([
        { type: 'Car', n: 1_000 },
      ])
      expect(
        await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false) returning type`,
      ).toEqual([{ type: 'Truck' }])
      expect((await relay.run('backfill')).result).toMatchObject({ writtenRows: 400 })
      expect((await relay.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
    } finally {
      await relay.stop()
    }
  })
})
