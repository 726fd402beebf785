import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { connect, type Database } from '../../agent/src/database/connect.ts'
import { migrate } from '../../agent/src/database/migrate.ts'
import { archiveIs } from './archiveIs.ts'
import { keepArchive } from '../../agent/src/columnDrop/archive/keep.ts'
import { readLegacyCatalog } from '../../agent/src/columnDrop/catalog/read.ts'
import type { LegacyCatalog } from '../../agent/src/columnDrop/catalog/legacy.ts'
import { writeMigration, type Migration } from '../../agent/src/columnDrop/migration/write.ts'
import { restoreFunction } from '../../agent/src/dualWrite/bothWays.ts'
import { deriveFunction, deriveTrigger } from '../../agent/src/dualWrite/trigger.ts'
import { runDdl, type Change } from '../../agent/src/engine/ddl.ts'
import type { JournaledChange } from '../../agent/src/engine/facts.ts'
import type { Run } from '../../agent/src/engine/kind.ts'
import { goOnAtOnce } from '../../agent/src/engine/points.ts'
import { addColumn } from '../../agent/src/expand/addColumn.ts'
import { addConstraint } from '../../agent/src/finalize/constraint.ts'
import { compile } from '../../agent/src/rollout/compile.ts'
import { inspect } from '../../agent/src/rollout/inspect.ts'
import { cannotRaise } from '../../agent/src/rollout/raise.ts'
import type { Rollout, Table } from '../../agent/src/rollout/rollout.ts'
import { createSignals } from '../../agent/src/signals/signals.ts'
import { withDatabase } from '../support/database.ts'

/** A table that a rollout has taken to single-table inheritance, and an operation that may work on it. */
export interface Ground {
  readonly url: string
  /** The test's own connections, as the superuser. */
  readonly sql: postgres.Sql
  readonly database: Database
  readonly rollout: Rollout
  readonly run: Run
  /** Another operation of the same rollout, as if somebody had asked again. */
  another(): Promise<Run>
  table(): Promise<Table>
  catalog(): Promise<LegacyCatalog>
  changes(): Promise<JournaledChange[]>
  keep(): ReturnType<typeof keepArchive>
  state(): ReturnType<typeof archiveIs>
  migration(): Promise<Migration>
}

/** Makes the table, then column, types, constraint, both ways of the trigger and the flag, each as the agent makes it. */
export async function withGround(create: string, file: string, use: (ground: Ground) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create schema app; ${create}; analyze`)
    const database = connect(url, 'a')
    const { rollout, faults } = compile('things.yaml', file)
    if (rollout === undefined) throw new Error(faults.join('\n'))
    const signals = createSignals({ database, agent: 'a', rollouts: [rollout], prometheusUrl: null, now: Date.now })
    try {
      await migrate(database, true)
      signals.start()
      const watched = signals.watch(rollout.name)
      const another = (): Promise<Run> => newRun(database, rollout, watched.readings)
      const run = await another()
      const table = (): Promise<Table> => inspect(database.state, rollout)
      await roll(run, table, sql)
      const catalog = async (): Promise<LegacyCatalog> => await readLegacyCatalog(database, rollout, await table())
      const changes = async (): Promise<JournaledChange[]> =>
        await database.state<JournaledChange[]>`
        select * from sti.change where rollout = ${rollout.name} and reverted_at is null order by id`
      await use({
        url,
        sql,
        database,
        rollout,
        run,
        another,
        table,
        catalog,
        changes,
        keep: async () => await keepArchive(run, await table()),
        state: async () => await archiveIs(database, rollout, await table()),
        migration: async () =>
          writeMigration({ rollout, table: await table(), catalog: await catalog(), changes: await changes() }),
      })
      watched.stop()
    } finally {
      await signals.stop()
      await database.close()
    }
  })
}

async function newRun(database: Database, rollout: Rollout, pressure: Run['pressure']): Promise<Run> {
  const claim = randomUUID()
  const [operation] = await database.state<{ id: bigint }[]>`
    insert into sti.operation (rollout, kind, state, parameters, file_hash, writes_table, actor, request_hash, claim, epoch)
    values (${rollout.name}, 'backfill', 'running', '{}', ${rollout.hash}, false, '{}', '', ${claim}, 1) returning id`
  const { id } = operation!
  return {
    agent: 'a',
    rollout,
    database,
    pressure,
    claim: { id, epoch: 1n, claim },
    operation: {
      id,
      kind: 'backfill',
      rollout: rollout.name,
      reason: null,
      parameters: {},
      progress: null,
      actor: { name: 'test', level: 'admin', via: 'agent' },
    },
    parameters: () => ({}),
    asked: () => 'go-on',
    facts: () => Promise.reject(new Error('nothing here asks for facts')),
    step: () => undefined,
    progress: () => undefined,
    event: () => Promise.resolve(),
    batch: () => undefined,
    turnFlagOff: () => Promise.resolve(),
    reached: goOnAtOnce,
  }
}

async function roll(run: Run, table: () => Promise<Table>, sql: postgres.Sql): Promise<void> {
  const { rollout, database } = run
  const type = rollout.discriminator.sql
  const before = await table()
  const engine = database.engine({ purpose: 'expand', searchPath: rollout.searchPath, statementTimeoutMs: 0 })
  const ddl = (steps: (string | Change)[]): Promise<void> => runDdl(run, engine, { what: 'test', steps })
  try {
    const safe = cannotRaise(rollout, before)
    await ddl([addColumn(rollout, null), deriveFunction(rollout, safe), deriveTrigger(rollout, safe)])
    await engine.unsafe(`update ${rollout.table.sql} as t set ${type} = ${rollout.derive('t')}`)
    const constraint = addConstraint(rollout)
    await ddl([constraint, restoreFunction(rollout, await table())])
    await sql`insert into sti.flag (rollout, enabled, percentage, version) values (${rollout.name}, true, 100, 1)`
  } finally {
    await engine.end({ timeout: 1 })
  }
}
