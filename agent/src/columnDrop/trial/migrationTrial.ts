import { shardDdlTransaction } from '../../citus/shardTransaction.ts'
import { formatQuantity } from '../../format/format.ts'
import { splitStatements } from '../../rollout/sqlParser.ts'
import { reverseSyncChange } from '../../dualWrite/reverseSync.ts'
import { deriveFunctionChange, dualWriteTriggerChanges } from '../../dualWrite/deriveTrigger.ts'
import type { Sql } from '../../database/connect.ts'
import { errorCode, classifyError, isConnectionError, errorMessage } from '../../database/errors.ts'
import type { RunContext } from '../../kind/kind.ts'
import { inspectTable } from '../../rollout/inspectTable.ts'
import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import { cannotRaise } from '../../rollout/cannotRaise.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { archiveTriggersDdl as keepTriggers, archiveTableDdl } from '../archive/archiveDdl.ts'
import { insertManifestSql } from '../archive/manifest.ts'
import { archiveTable, archiveLayout, columnList, keysMatch } from '../archive/archiveSql.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'
import { readLegacyCatalog } from '../catalog/readLegacyCatalog.ts'
import { writeMigration } from '../migration/writeMigration.ts'
import { planCopy, fillCopy, copyForeignKeys, trialRollout } from './tableCopy.ts'
import { rotateTypesSql, compareRows, type TrialCheck } from './compareRows.ts'
import { catalogDifferences } from './catalogDifferences.ts'
import { createCopy, dropCopies } from './copyLifecycle.ts'
import { runTimed, type MigrationTiming } from './runTimed.ts'

/** The result of running the migration up and down on a copy. */
export interface MigrationTrial {
  readonly passed: boolean
  readonly rows: number
  readonly up: MigrationTiming | null
  readonly down: MigrationTiming | null
  /** One entry per check; if `ok` is false, the detail says what is wrong. */
  readonly checks: readonly TrialCheck[]
  /** The parts that the copy lacks and that were therefore not tested. */
  readonly leftOut: readonly string[]
  /** Estimates for the whole table, extrapolated from the sample. */
  readonly estimated: { readonly upLockedSeconds: number; readonly downLockedSeconds: number }
}

/** The number of rows that the simulated new code inserts after the drop. */
const NEW_ROW_COUNT = 20

/**
 * Runs up, checks, writes like new code, runs down, and checks again, on a copy of the table in a separate schema
 * with a sample of its rows. The copy's migration is generated from the copy's catalog by the same code. The copy is
 * dropped afterwards.
 */
export async function runMigrationTrial(
  run: RunContext,
  table: Table,
  catalog: LegacyCatalog,
  sampleRows: number,
): Promise<MigrationTrial> {
  const { database, rollout, operation } = run
  const copy = trialRollout(rollout, operation.id)
  const sql = database.engine({
    purpose: `trial ${operation.id}`,
    statementTimeoutMs: 600_000,
  })
  const reader = database.engine({ purpose: 'trial' })
  try {
    await dropCopies(run, sql, copy)
    run.setStep('copying the table for the trial')
    const plan = await planCopy(reader, rollout, table, catalog, copy)
    await createCopy(run, sql, plan.statements, copy)
    run.setStep('trying the migration on the copy')
    return await runTrialSteps({ run, sql, reader, table, catalog, copy, leftOut: plan.leftOut }, sampleRows)
  } finally {
    await dropCopies(run, sql, copy).catch((error: unknown) => {
      if (!isConnectionError(error)) throw error
    })
    await Promise.all([sql, reader].map((connection) => connection.end({ timeout: 1 })))
  }
}

interface TrialContext {
  readonly run: RunContext
  readonly sql: Sql
  readonly reader: Sql
  readonly table: Table
  /** The catalog of the table itself. */
  readonly catalog: LegacyCatalog
  readonly copy: Rollout
  readonly leftOut: readonly string[]
}

async function runTrialSteps(
  { run, sql, reader, table, catalog, copy, leftOut }: TrialContext,
  sampleRows: number,
): Promise<MigrationTrial> {
  const { database, rollout } = run
  const rows = await fillCopy(sql, rollout, table, copy, sampleRows)
  const keys = await copyForeignKeys(reader, rollout, table, copy)
  for (const statement of keys.after) await sql.unsafe(statement)
  const tableBefore = await inspectTable(database.state, copy)
  const dualWrite = dualWriteChanges(copy, tableBefore)
  for (const change of dualWrite) await runChange(sql, tableBefore, change.statement)
  // Rows to insert after the drop: they are set aside until then.
  const newRows = `${quoteIdentifier(copy.table.schema)}."~later"`
  const layout = archiveLayout(copy, tableBefore)
  const columns = tableBefore.columns.filter((column) => !column.generated)
  await sql.unsafe(
    `create table ${newRows} as select * from ${copy.table.sql} limit ${Math.min(NEW_ROW_COUNT, Math.floor(rows / 4))}`,
  )
  await sql.unsafe(`delete from ${copy.table.sql} as t using ${newRows} as l where ${keysMatch(layout, 't', 'l')}`)
  await fillArchive(sql, run, copy, tableBefore)
  // What the copy cannot have decides how the undo writes the rows.
  const { published, rowTypeUses } = catalog
  const readCopyCatalog = async (copied: Table): Promise<LegacyCatalog> => ({
    ...(await readLegacyCatalog(database, copy, copied)),
    published,
    rowTypeUses,
  })
  const before = await readCopyCatalog(tableBefore)
  const images = `${quoteIdentifier(copy.table.schema)}."~before"`
  await sql.unsafe(`create table ${images} as select * from ${copy.table.sql}`)
  const migration = writeMigration({ rollout: copy, table: tableBefore, catalog: before, changes: dualWrite })
  const checks: TrialCheck[] = []
  const up = await attemptCheck(checks, 'up runs', () => runTimed(sql, migration.up))
  if (up === null) return { ...FAILED_TRIAL, rows, checks, leftOut }
  const tableAfterUp = await inspectTable(database.state, copy)
  const remainingColumns = before.relations[0]!.columns.filter((column) =>
    tableAfterUp.columns.some(({ name }) => name === column.name),
  )
  checks.push({
    check: 'the columns are dropped',
    ok: remainingColumns.length === 0,
    detail:
      remainingColumns.length === 0
        ? `${before.relations[0]!.columns.length} columns`
        : remainingColumns.map(({ name }) => name).join(', '),
  })
  await attemptCheck(checks, 'up runs again and does nothing', () => runTimed(sql, migration.up))
  const names = columns
    .map((column) => column.sql)
    .filter((name) => tableAfterUp.columns.some((column) => column.sql === name))
  await attemptCheck(checks, 'new code writes while the columns are dropped', async () => {
    await sql.unsafe(
      `insert into ${copy.table.sql} (${names.join(', ')}) overriding system value select ${names.join(', ')} from ${newRows}`,
    )
    await sql.unsafe(
      rotateTypesSql(
        copy,
        layout.key.map((column) => column.sql),
        images,
      ),
    )
  })
  const down = await attemptCheck(checks, 'down runs', () => runTimed(sql, migration.down))
  if (down === null) return { ...FAILED_TRIAL, rows, up, checks, leftOut }
  await attemptCheck(checks, 'down runs again and writes nothing', () => runTimed(sql, migration.down))
  const tableAfterDown = await inspectTable(database.state, copy)
  const differences = catalogDifferences(before, await readCopyCatalog(tableAfterDown))
  checks.push({
    check: 'the catalog is restored, except for the column order',
    ok: differences.length === 0,
    detail: differences.length === 0 ? countObjects(before) : differences.slice(0, 5).join('; '),
  })
  checks.push(await compareRows(sql, copy, tableBefore, images))
  const scale = Math.max(1, table.estimatedRows ?? rows) / Math.max(1, rows)
  return {
    passed: checks.every((check) => check.ok),
    rows,
    up,
    down,
    checks,
    leftOut,
    estimated: { upLockedSeconds: up.lockedSeconds * scale, downLockedSeconds: down.lockedSeconds * scale },
  }
}

const FAILED_TRIAL = {
  passed: false,
  up: null,
  down: null,
  estimated: { upLockedSeconds: 0, downLockedSeconds: 0 },
} satisfies Partial<MigrationTrial>

/** An error of PostgreSQL is a result of the trial; a lost connection is not. */
async function attemptCheck<T>(checks: TrialCheck[], check: string, work: () => Promise<T>): Promise<T | null> {
  try {
    const done = await work()
    checks.push({ check, ok: true, detail: '' })
    return done
  } catch (error) {
    if (errorCode(error) === null || !['row', 'permanent'].includes(classifyError(error))) throw error
    checks.push({ check, ok: false, detail: `${errorMessage(error)} (${errorCode(error)})` })
    return null
  }
}

function dualWriteChanges(copy: Rollout, table: Table) {
  if (copy.file.dualWrite === 'application') return []
  return [
    deriveFunctionChange(copy, cannotRaise(copy, table), table),
    ...dualWriteTriggerChanges(copy, table),
    reverseSyncChange(copy, table),
  ]
}

/** Citus carries each command to the shards of the copy. */
async function runChange(sql: Sql, { citus }: Table, statement: string): Promise<void> {
  await sql.unsafe(citus === null ? statement : shardDdlTransaction(splitStatements(`begin;\n${statement};\ncommit`)))
}

/** Fills the archive in one transaction, since nobody else writes the copy. */
async function fillArchive(sql: Sql, run: RunContext, copy: Rollout, table: Table): Promise<void> {
  const layout = archiveLayout(copy, table)
  await runChange(sql, table, archiveTableDdl(copy, table).statement)
  await runChange(sql, table, keepTriggers(copy, table).statement)
  await sql.unsafe(
    `insert into ${archiveTable(copy, table).sql} (${columnList(layout, null)}) select ${columnList(layout, 't')} from ${copy.table.sql} as t`,
  )
  await sql.unsafe(insertManifestSql(copy, table, run.operation.id))
  await sql.unsafe(
    `update sti.column_archive set completed_at = clock_timestamp() where rollout = ${quoteLiteral(copy.name)}`,
  )
  await sql.unsafe(`insert into sti.flag (rollout, enabled, percentage) values (${quoteLiteral(copy.name)}, true, 100)`)
}

function countObjects({ indexes, constraints, statistics }: LegacyCatalog): string {
  return `restored ${formatQuantity(constraints.length, 'constraint')}, ${formatQuantity(indexes.length, 'index', 'indexes')}, and ${formatQuantity(statistics.length, 'statistics object')}`
}
