import { expect, test } from 'vitest'
import { runTimed } from '../../agent/src/columnDrop/trial/runTimed.ts'
import { runMigrationTrial } from '../../agent/src/columnDrop/trial/migrationTrial.ts'
import { withColumnDropEnvironment } from './testEnvironment.ts'
import { rolloutFile } from './tableShapes.ts'

/** `STI_DROP_ROWS=2000000` measures a larger table. */
const ROWS = Number(process.env['STI_DROP_ROWS'] ?? 20_000)

test.each([
  { what: 'that restore covers completely', more: [] },
  { what: 'of which restore covers all but one', more: ['code'] },
])(
  'a larger table with legacy columns $what: duration of archive, comparison, and migration',
  async ({ more }) => {
    const create = `create table app.things (id bigint primary key, is_a boolean not null, is_b boolean not null, note text, code text);
      insert into app.things select n, n % 3 = 0, n % 3 = 1, md5(n::text), 'c' || n from generate_series(1, ${ROWS}) n;
      create index things_note on app.things (note); create index things_code on app.things (code)`
    await withColumnDropEnvironment(create, rolloutFile({ name: '', create: '', more }), async (ground) => {
      const { database, run, table, catalog } = ground
      const took: Record<string, number> = {}
      const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
        const began = performance.now()
        const done = await work()
        took[what] = Math.round(performance.now() - began) / 1000
        return done
      }
      expect(await timed('archive and comparison', ground.keepArchive)).toMatchObject({
        verified: { rows: ROWS, differing: 0 },
      })
      expect(await timed('comparison', ground.archiveState)).toMatchObject({ equal: true })
      const trial = await timed(
        'trial',
        async () => await runMigrationTrial(run, await table(), await catalog(), 100_000),
      )
      expect(trial.checks.filter((check) => !check.ok)).toEqual([])
      const { up, down } = await ground.migration()
      const sql = database.engine({ purpose: 'migration', statementTimeoutMs: 0 })
      try {
        const there = await runTimed(sql, up)
        const back = await runTimed(sql, down)
        if (process.env['STI_DROP_ROWS'] !== undefined) {
          console.log(ROWS, 'rows', took, 'estimated by the trial', trial.estimated)
          for (const way of [there, back]) console.log(way.seconds, 'locked', way.lockedSeconds, way.parts, way.locks)
        }
        expect(there.lockedSeconds).toBeLessThan(there.seconds)
        expect(back.seconds).toBeGreaterThan(0)
      } finally {
        await sql.end({ timeout: 1 })
      }
    })
  },
  Math.max(60_000, ROWS / 2),
)
