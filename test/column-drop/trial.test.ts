import { expect, test } from 'vitest'
import { runMigrationTrial } from '../../agent/src/columnDrop/trial/migrationTrial.ts'
import { withColumnDropEnvironment } from './testEnvironment.ts'
import { rolloutFile, DROP_TABLE_SHAPES } from './tableShapes.ts'

const TESTED_SHAPES = ['plain columns', 'quoted names', 'partitions in two', 'foreign keys', 'domains', 'unique and']

test.each(DROP_TABLE_SHAPES.filter(({ name }) => TESTED_SHAPES.some((prefix) => name.startsWith(prefix))))(
  'up and down of a table with $name run on a copy, of which nothing remains',
  async (shape) => {
    await withColumnDropEnvironment(shape.create, rolloutFile(shape), async ({ run, table, catalog, sql }) => {
      const before = await sql`select nspname from pg_namespace where nspname !~ '^pg_' order by 1`
      const objects = await sql`select relname::text as name from pg_class where relnamespace = 'sti'::regnamespace
        union all select proname from pg_proc where pronamespace = 'sti'::regnamespace order by 1`
      const trial = await runMigrationTrial(run, await table(), await catalog(), 100)
      expect(trial.checks.filter((check) => !check.ok)).toEqual([])
      expect(trial.passed).toBe(true)
      expect(trial.rows).toBeGreaterThanOrEqual(100)
      expect(trial.up!.locks).toContainEqual(expect.objectContaining({ mode: 'AccessExclusiveLock' }))
      expect(trial.up!.lockedSeconds).toBeLessThan(trial.up!.seconds)
      expect(trial.up!.parts.length).toBeGreaterThan(5)
      expect(await sql`select nspname from pg_namespace where nspname !~ '^pg_' order by 1`).toEqual(before)
      expect(
        await sql`select relname::text as name from pg_class where relnamespace = 'sti'::regnamespace
          union all select proname from pg_proc where pronamespace = 'sti'::regnamespace order by 1`,
      ).toEqual(objects)
      expect(await sql`select from sti.column_archive`).toEqual([])
      expect(await sql`select from sti.change where kind = 'trial' and reverted_at is null`).toEqual([])
    })
  },
)

test('the next trial drops the copy of an agent that crashed', async () => {
  const [shape] = DROP_TABLE_SHAPES
  await withColumnDropEnvironment(
    shape!.create,
    rolloutFile(shape!),
    async ({ run, newRun: another, table, catalog, sql }) => {
      let taken = false
      const dying = {
        ...run,
        setWaiting: () => undefined,
        setStep(text: string) {
          // Once the copy exists, this agent loses its connection to the database.
          if (text.startsWith('trying')) {
            taken = true
            throw new Error('dies')
          }
        },
        database: {
          ...run.database,
          engine: (...options: Parameters<typeof run.database.engine>) => {
            const engine = run.database.engine(...options)
            const unsafe = engine.unsafe.bind(engine)
            engine.unsafe = ((text: string, ...rest: []) => {
              if (taken) throw Object.assign(new Error('away'), { code: 'CONNECTION_CLOSED' })
              return unsafe(text, ...rest)
            }) as typeof engine.unsafe
            return engine
          },
        },
      }
      await expect(runMigrationTrial(dying, await table(), await catalog(), 100)).rejects.toThrow('dies')
      const [left] = await sql`select from pg_namespace where nspname like 'sti_trial_%'`
      expect(left).toBeDefined()
      expect(await runMigrationTrial(await another(), await table(), await catalog(), 100)).toMatchObject({
        passed: true,
      })
      expect(await sql`select from pg_namespace where nspname like 'sti_trial_%'`).toEqual([])
      expect(await sql`select from sti.change where kind = 'trial' and reverted_at is null`).toEqual([])
    },
  )
})

test('the trial finds an undo that would fail', async () => {
  const create = `create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, code int not null unique);
    insert into app.things select n, n % 3 = 0, n % 3 = 1, n from generate_series(1, 100) n`
  const file = rolloutFile({ name: '', create: '', more: ['code'] }).replaceAll('"is_b": "', '"code": "0", "is_b": "')
  await withColumnDropEnvironment(create, file, async ({ run, table, catalog }) => {
    const trial = await runMigrationTrial(run, await table(), await catalog(), 100)
    expect(trial.passed).toBe(false)
    expect(trial.checks.find((check) => !check.ok)).toMatchObject({
      check: 'down runs',
      detail: expect.stringMatching(/could not create unique index/),
    })
  })
})
