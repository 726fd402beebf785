import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent } from '../../../test/support/agent.ts'
import { withDatabase } from '../../../test/support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../../../test/support/vehicles.ts'
import type { BackupStatus } from '../contract/index.ts'

const statusWith = async (query: string, maxAge = '24h', seed = 'select'): Promise<BackupStatus> =>
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(seed)
    const file = `${VEHICLES_FILE}backup: { maxAge: ${maxAge}, query: "${query}" }\n`
    return await withAgent(
      url,
      file,
      async (agent) => {
        for (;;) {
          const { backup } = await agent.rollout()
          if (!/has not been read yet/.test(backup.detail)) return backup
          await delay(50)
        }
      },
      { log: () => undefined },
    )
  })

test('the result of the file’s query is the time of the last backup; no row, an old time, and an error are not a backup', async () => {
  const young = await statusWith("select now() - n * interval '1 hour' from generate_series(1, 3) n")
  expect(young).toMatchObject({
    available: true,
    detail: expect.stringMatching(/^The last backup is 1 h old \(limit 1 d\);/),
  })
  expect(young.ageSeconds).toBeCloseTo(3_600, -2)
  expect(await statusWith("select now() - interval '2 hours'", '1h')).toMatchObject({
    available: false,
    detail: expect.stringMatching(/^The last backup is 2 h old \(limit 1 h\);/),
  })
  expect(await statusWith('select last_archived_time from pg_stat_archiver')).toMatchObject({
    available: false,
    // Nobody has asked for a backup: neither the file nor archive_mode.
    expected: false,
    ageSeconds: null,
    detail: expect.stringMatching(/returns no backup time; (archive_mode is off|no WAL has been archived yet)/),
  })
  expect(await statusWith('select 1')).toMatchObject({
    available: false,
    expected: true,
    detail: expect.stringMatching(/is unknown: /),
  })
})
