import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { countWrongRows } from '../support/faultInjection.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { failedChecks, validate } from '../validation/validations.ts'

const FLAGS = 'is_truck boolean not null, is_bike boolean not null'
const kinds = `n % 3 = 0, n % 7 = 0 and n % 3 <> 0`

/** Keys of every type whose text is unusual, with infinities. */
const TABLES = [
  ['"char"', `(id "char" primary key, ${FLAGS})`, `select chr(n)::"char", ${kinds} from generate_series(1, 120) n`],
  [
    'date and timestamps',
    `(day date, at timestamp, zoned timestamptz, ${FLAGS}, primary key (day, at, zoned))`,
    `select case n % 50 when 0 then 'infinity' when 1 then '-infinity' else date '0044-03-15 BC' + n * 300 end,
      case n % 40 when 0 then 'infinity' else timestamp '2024-02-29 23:59:59.999999' + n * interval '1 microsecond' end,
      case n % 30 when 0 then '-infinity' else timestamptz '2024-10-27 02:30:00+02' + n * interval '1 hour' end, ${kinds} from generate_series(1, 600) n`,
  ],
  [
    'interval and time',
    `(length interval, at time, zoned timetz, ${FLAGS}, primary key (length, at, zoned))`,
    `select make_interval(months => n % 7 - 3, days => n % 45, secs => n / 7.0), time '00:00' + n * interval '1 second', timetz '10:00+05:30', ${kinds} from generate_series(1, 600) n
     union all select case when current_setting('server_version_num')::int >= 170000 then 'infinity'::interval else '178000000 years' end, '24:00', '24:00-15:59', true, false`,
  ],
] as const

test.each(TABLES)('the main job and a rehearsal of a table with a key of %s', async (_, columns, rows) => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(
      `create table public.vehicles ${columns}; insert into public.vehicles ${rows}; analyze public.vehicles`,
    )
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const { result } = await agent.run('backfill', { workers: 2, batchSize: 50 })
      expect(result).toMatchObject({ failedRows: 0 })
      expect(await countWrongRows(sql)).toBe(0)
      expect(failedChecks(await validate(agent, { layers: ['integrity'] }))).toEqual([])
      await agent.run('finalize')
      await agent.run('flag', { enabled: true })
      await agent.run('rehearsal')
      expect(failedChecks(await validate(agent, { layers: ['integrity'] }))).toEqual([])
      await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
    })
  })
})
