import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { connect, type Database } from '../../agent/src/database/connect.ts'
import { migrate } from '../../agent/src/database/migrate.ts'
import { readArchiveState } from './archiveState.ts'
import { runArchive } from '../../agent/src/columnDrop/archive/runArchive.ts'
import { readLegacyCatalog } from '../../agent/src/columnDrop/catalog/readLegacyCatalog.ts'
import type { LegacyCatalog } from '../../agent/src/columnDrop/catalog/legacyCatalog.ts'
import { writeMigration, type Migration } from '../../agent/src/columnDrop/migration/writeMigration.ts'
import { reverseSyncChange } from '../../agent/src/dualWrite/reverseSync.ts'
import { deriveFunctionChange, dualWriteTriggerChanges } from '../../agent/src/dualWrite/deriveTrigger.ts'
import { runDdl, type ReversibleChange } from '../../agent/src/ddl/transactional.ts'
import type { JournaledChange } from '../../agent/src/kind/facts.ts'
import type { RunContext } from '../../agent/src/kind/kind.ts'
import { noopFailpoint } from '../../agent/src/kind/failpoints.ts'
import { addColumnChange } from '../../agent/src/expand/addColumn.ts'
import { addConstraintChange } from '../../agent/src/finalize/checkConstraint.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import { inspectTable } from '../../agent/src/rollout/inspectTable.ts'
import { cannotRaise } from '../../agent/src/rollout/cannotRaise.ts'
import type { Rollout, Table } from '../../agent/src/rollout/rollout.ts'
import { resolveNames } from '../../agent/src/rollout/resolveNames.ts'
import { createSignals } from '../../agent/src/signals/signals.ts'
import { withDatabase } from '../support/database.ts'

/** A table after a complete rollout, and an operation that may work on it. */
export interface ColumnDropEnvironment {
  readonly url: string
  /** The test's own connections, as superuser. */
  readonly sql: postgres.Sql
  readonly database: Database
  readonly rollout: Rollout
  readonly run: RunContext
  /** Another operation of the same rollout, as after a second request. */
  newRun(): Promise<RunContext>
  table(): Promise<Table>
  catalog(): Promise<LegacyCatalog>
  changes(): Promise<JournaledChange[]>
  keepArchive(): ReturnType<typeof runArchive>
  archiveState(): ReturnType<typeof readArchiveState>
  migration(): Promise<Migration>
}

async function withResolvedNames(database: Database, compiled: Rollout): Promise<Rollout> {
  const sql = database.engine()
  try {
    const names = await resolveNames(sql, compiled, await inspectTable(sql, compiled))
    if ('faults' in names) throw new Error(names.faults.join('\n'))
    return compiled.withResolution(names.resolution)
  } finally {
    await sql.end()
  }
}

/**
 * Creates the table, then the column, types, constraint, both directions of the trigger, and the flag, each like the
 * agent.
 */
export async function withColumnDropEnvironment(
  create: string,
  file: string,
  use: (ground: ColumnDropEnvironment) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create schema app; ${create}; analyze`)
    const database = connect(url, 'a')
    const { rollout: compiled, faults } = compileRollout('things.yaml', file)
    if (compiled === undefined) throw new Error(faults.join('\n'))
    const rollout = await withResolvedNames(database, compiled)
    const signals = createSignals({ database, agent: 'a', rollouts: [rollout], prometheusUrl: null, now: Date.now })
    try {
      await migrate(database, true)
      signals.start()
      const watched = signals.watchThrottle(rollout.name)
      const another = (): Promise<RunContext> => newRun(database, rollout, watched.readings)
      const run = await another()
      const table = (): Promise<Table> => inspectTable(database.state, rollout)
      await rollOutTable(run, table, sql)
      const catalog = async (): Promise<LegacyCatalog> => await readLegacyCatalog(database, rollout, await table())
      const changes = async (): Promise<JournaledChange[]> =>
        await database.state<JournaledChange[]>`
        select *, definition_sql as "definitionSql", definition_after_apply as "definitionAfterApply",
          definition_after_revert as "definitionAfterRevert"
        from sti.change where rollout = ${rollout.name} and reverted_at is null order by id`
      await use({
        url,
        sql,
        database,
        rollout,
        run,
        newRun: another,
        table,
        catalog,
        changes,
        keepArchive: async () => await runArchive(run, await table()),
        archiveState: async () => await readArchiveState(database, rollout, await table()),
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

async function newRun(database: Database, rollout: Rollout, pressure: RunContext['pressure']): Promise<RunContext> {
  const claim = randomUUID()
  const [operation] = await database.state<{ id: bigint }[]>`
    insert into sti.operation (rollout, kind, state, parameters, file_hash, derivation_hash, writes_table, actor, request_hash, claim, epoch)
    values (${rollout.name}, 'backfill', 'running', '{}', ${rollout.hash}, ${rollout.derivationHash}, false, '{}', '', ${claim}, 1) returning id`
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
    directive: () => 'continue',
    readFacts: () => Promise.reject(new Error('no test reads facts')),
    setStep: () => undefined,
    setWaiting: () => undefined,
    reportProgress: () => undefined,
    recordEvent: () => Promise.resolve(),
    observeBatch: () => undefined,
    turnFlagOff: () => Promise.resolve(),
    failpoint: noopFailpoint,
  }
}

async function rollOutTable(run: RunContext, table: () => Promise<Table>, sql: postgres.Sql): Promise<void> {
  const { rollout, database } = run
  const type = rollout.discriminator.sql
  const before = await table()
  const engine = database.engine({ purpose: 'expand', statementTimeoutMs: 0 })
  const ddl = (steps: (string | ReversibleChange)[]): Promise<void> =>
    runDdl(run, engine, { description: 'test', steps })
  try {
    const safe = cannotRaise(rollout, before)
    await ddl([
      addColumnChange(rollout, null),
      deriveFunctionChange(rollout, safe, await table()),
      ...dualWriteTriggerChanges(rollout, before),
    ])
    await engine.unsafe(`update ${rollout.table.sql} as t set ${type} = ${rollout.derive('t')}`)
    const constraint = addConstraintChange(rollout)
    await ddl([constraint, reverseSyncChange(rollout, await table())])
    await sql`insert into sti.flag (rollout, enabled, percentage, version) values (${rollout.name}, true, 100, 1)`
  } finally {
    await engine.end({ timeout: 1 })
  }
}
