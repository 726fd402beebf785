import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import { createReadingBuffer } from '../signals/readingBuffer.ts'
import { readPeakSince, recordUsagePeaks } from './usagePeaks.ts'

test('after a restart, the peak and the time read since an expand are known, also after a higher peak of the same hour', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'test')
    try {
      await migrate(database, false)
      const hour = (Math.floor(Date.now() / 3_600_000) - 2) * 3_600_000
      const expand = hour + 30 * 60_000
      await sql`insert into sti.operation ${sql({
        rollout: 'vehicles',
        kind: 'expand',
        state: 'succeeded',
        parameters: {},
        file_hash: '',
        derivation_hash: '',
        writes_table: true,
        actor: {},
        request_hash: '',
        started_at: new Date(expand),
        ended_at: new Date(expand + 1_000),
      })}`
      const recent = createReadingBuffer()
      // 15 minutes before the expand at 90%, and 15 minutes since at 40%, with one reading of 50%.
      for (let at = expand - 900_000; at < expand + 900_000; at += 5_000)
        recent.add('vehicles', 'host-memory', {
          at,
          value: at < expand ? 0.9 : at === expand + 600_000 ? 0.5 : 0.4,
        })
      await recordUsagePeaks({ sql: database.state, recent, rollouts: ['vehicles'] }, expand - 900_001)

      const read = { rollout: 'vehicles', signal: 'host-memory' } as const
      const restarted = createReadingBuffer()
      const rows = await sql`select starts_at, maximum, reading_count::int from sti.usage_peak order by 1`
      expect(rows.map((row) => ({ ...row }))).toEqual([
        { starts_at: new Date(hour), maximum: 0.9, reading_count: 180 },
        { starts_at: new Date(expand), maximum: 0.5, reading_count: 180 },
      ])
      expect(await readPeakSince(database.state, restarted, { ...read, since: expand })).toMatchObject({
        value: 0.5,
        at: new Date(expand + 600_000),
      })
      expect(await readPeakSince(database.state, restarted, { ...read, since: hour })).toMatchObject({ value: 0.9 })
    } finally {
      await database.close()
    }
  })
})
