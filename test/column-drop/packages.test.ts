import { Logger, makeWorkerUtils, runOnce } from 'graphile-worker'
import PgBoss from 'pg-boss'
import { expect, test } from 'vitest'
import { COLUMN_DROP_REFUSED, type ColumnDrop } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDedicatedServer, type TestDatabase } from '../support/database.ts'
import { enableRollout, findColumnDropCheck, waitForSoak } from './enabledRollout.ts'

const PG_BOSS_FILE = `rollout: jobs
table: pgboss.job
discriminator: { column: kind, dataType: text }
types:
  - { name: Backoff, when: retry_backoff, restore: { retry_backoff: "true" } }
otherwise: { name: Plain, restore: { retry_backoff: "false" } }
legacyColumns: [retry_backoff]
flag: { key: jobs }
validation: { requires: [integrity] }
soak: 3s
`

const GRAPHILE_WORKER_FILE = `rollout: jobs
table: graphile_worker._private_jobs
discriminator: { column: kind, dataType: text }
types:
  - { name: Once, when: max_attempts = 1, restore: { max_attempts: "1" } }
otherwise: { name: Again, restore: { max_attempts: "25" } }
legacyColumns: [max_attempts]
flag: { key: jobs }
validation: { requires: [integrity] }
soak: 3s
`

/** How a package uses its table: it adds jobs of both types and processes them. */
interface JobPackage {
  /** Adds this number of jobs. */
  add(count: number): Promise<void>
  /** Processes some jobs and returns how many are done. */
  work(): Promise<number>
  /**
   * Opens new sessions: in a session from before a column was dropped, PostgreSQL refuses functions that return rows
   * of the table (“attribute n of type record has been dropped”) until the session reconnects.
   */
  reconnect?(): Promise<void>
}

/**
 * Takes the rollout to 100% and back while the package works in every stage. The drop is refused, since the package
 * needs the column.
 */
async function dropAndRestore(
  { sql, url }: TestDatabase,
  file: string,
  table: string,
  derived: string,
  package_: JobPackage,
): Promise<ColumnDrop> {
  const wrong = async (): Promise<number> => {
    const [row] = await sql.unsafe<{ wrong: number }[]>(
      `select count(*)::int as wrong from ${table} where kind is distinct from ${derived}`,
    )
    return row!.wrong
  }
  let drop!: ColumnDrop
  await package_.add(60)
  await withAgent(url, file, async (agent: TestAgent) => {
    await agent.run('expand')
    await package_.add(20)
    expect(await package_.work()).toBeGreaterThan(0)
    await enableRollout(agent)
    expect((await agent.rollout()).stage).toBe('enabled')
    await package_.add(20)
    expect(await package_.work()).toBeGreaterThan(0)
    expect(await wrong()).toBe(0)
    await waitForSoak(agent, 'jobs')
    await package_.add(2)
    await package_.work()
    await package_.add(2)
    const { id } = await agent.request('column-drop', { validateData: false, confirm: 'jobs' })
    expect(await agent.waitForEnd(id)).toMatchObject({ state: 'failed', errorCode: COLUMN_DROP_REFUSED })
    drop = await agent.get<ColumnDrop>('/v1/rollouts/jobs/column-drop')
    expect((await agent.rollout()).stage).toBe('enabled')
    await agent.run('rollback', { scope: 'flag' })
    expect(await package_.work()).toBeGreaterThan(0)
    await agent.run('rollback', { scope: 'data', confirm: 'jobs' })
    await package_.reconnect?.()
    await package_.add(5)
    expect(await package_.work()).toBeGreaterThan(0)
  })
  const columns = await sql.unsafe(
    `select from pg_attribute where attrelid = '${table}'::regclass and attname = 'kind' and not attisdropped`,
  )
  expect(columns).toHaveLength(0)
  return drop
}

test('pg-boss keeps working during a whole rollout of its jobs, and dropping a column that it writes is refused', async () => {
  await withDedicatedServer(async (database) => {
    await database.sql.unsafe('create extension pg_stat_statements')
    const boss = new PgBoss({ connectionString: database.url, max: 2, supervise: false, schedule: false })
    boss.on('error', () => undefined)
    await boss.start()
    try {
      await boss.createQueue('mail')
      const drop = await dropAndRestore(
        database,
        PG_BOSS_FILE,
        'pgboss.job',
        `case when retry_backoff then 'Backoff' else 'Plain' end`,
        {
          async add(count) {
            for (let n = 0; n < count; n++)
              await boss.send('mail', { n }, n % 3 === 0 ? { retryBackoff: true, retryLimit: 2 } : {})
          },
          async work() {
            const jobs = await boss.fetch('mail', { batchSize: 10 })
            for (const [index, job] of jobs.entries())
              await (index === 0 ? boss.fail('mail', job.id) : boss.complete('mail', job.id))
            return jobs.length
          },
        },
      )
      const { last } = drop
      expect(last).toMatchObject({ prepared: false, migration: null })
      expect(findColumnDropCheck(last!, 'no-statement-writes').evidence).toContain('retry_backoff')
      expect(findColumnDropCheck(last!, 'no-statement-writes').verdict).toBe('fail')
    } finally {
      await boss.stop({ graceful: false, close: true })
    }
  })
})

test('graphile-worker keeps working during a whole rollout of its jobs, and dropping a column that its functions and a generated column use is refused', async () => {
  await withDedicatedServer(async (database) => {
    await database.sql.unsafe('create extension pg_stat_statements')
    const options = { connectionString: database.url, noHandleSignals: true, logger: new Logger(() => () => undefined) }
    let utils = await makeWorkerUtils(options)
    await utils.migrate()
    // Jobs scheduled for later stay in the table.
    const later = new Date(Date.now() + 3_600_000)
    let done = 0
    const taskList = {
      mail: () => {
        done++
      },
    }
    try {
      const drop = await dropAndRestore(
        database,
        GRAPHILE_WORKER_FILE,
        'graphile_worker._private_jobs',
        `case when max_attempts = 1 then 'Once' else 'Again' end`,
        {
          async add(count) {
            for (let n = 0; n < count; n++)
              await utils.addJob(
                'mail',
                { n },
                { ...(n % 3 === 0 ? { maxAttempts: 1 } : {}), ...(n % 2 === 0 ? { runAt: later } : {}) },
              )
          },
          async work() {
            const before = done
            await runOnce({ ...options, taskList, maxPoolSize: 2 })
            return done - before
          },
          async reconnect() {
            await utils.release()
            utils = await makeWorkerUtils(options)
          },
        },
      )
      const { last } = drop
      expect(last).toMatchObject({ prepared: false, migration: null })
      expect(findColumnDropCheck(last!, 'no-function-body')).toMatchObject({ verdict: 'fail' })
      expect(findColumnDropCheck(last!, 'no-function-body').findings.join(' ')).toContain('add_job')
      expect(findColumnDropCheck(last!, 'no-dependent-objects').findings.join(' ')).toContain('is_available')
      // It fails if a statement that names the column was called of late; the others read * only.
      expect(findColumnDropCheck(last!, 'no-statement-reads').verdict).toMatch(/fail|inconclusive/)
    } finally {
      await utils.release()
    }
  })
})
