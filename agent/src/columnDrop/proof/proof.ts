import { restoreFunction } from '../../dualWrite/bothWays.ts'
import { deriveFunction, deriveTrigger } from '../../dualWrite/trigger.ts'
import type { Sql } from '../../database/connect.ts'
import { codeOf, faultOf, isAway, messageOf } from '../../engine/errors.ts'
import type { Run } from '../../engine/kind.ts'
import { inspect } from '../../rollout/inspect.ts'
import { literal, quote } from '../../rollout/names.ts'
import { cannotRaise } from '../../rollout/raise.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { keepArchive as keepTriggers, makeArchive } from '../archive/changes.ts'
import { newManifest } from '../archive/manifest.ts'
import { archiveTable, keptOf, listed, sameKey } from '../archive/names.ts'
import type { LegacyCatalog } from '../catalog/legacy.ts'
import { readLegacyCatalog } from '../catalog/read.ts'
import { writeMigration } from '../migration/write.ts'
import type { ProofCheck } from './check.ts'
import { copyOf, fillCopy, foreignKeys } from './copy.ts'
import { becomesAnother, compareData } from './data.ts'
import { differences } from './differences.ts'
import { rolloutOfCopy } from './names.ts'
import { makeCopy, removeCopies } from './standing.ts'
import { runTimed, type Timed } from './timed.ts'

/** What became of the migration when it was run both ways on a copy. */
export interface Proof {
  readonly passed: boolean
  readonly rows: number
  readonly up: Timed | null
  readonly down: Timed | null
  /** One for each question; `ok` false: the sentence says what was not as it must be. */
  readonly checks: readonly ProofCheck[]
  /** What the copy does not have, and what was therefore not tried. */
  readonly leftOut: readonly string[]
  /** For all rows of the table, from the sample's times: they grow with the rows. */
  readonly estimated: { readonly upLockedSeconds: number; readonly downLockedSeconds: number }
}

/** Rows that new code inserts once the columns are gone. */
const LATER = 20

/**
 * Runs up, looks, writes as new code does, runs down, looks again: on a copy of the table in a schema of its own, with a
 * sample of its rows. The same writer makes the copy's migration from the copy's catalog. Everything is taken away again.
 */
export async function proveMigration(
  run: Run,
  table: Table,
  catalog: LegacyCatalog,
  sampleRows: number,
): Promise<Proof> {
  const { database, rollout, operation } = run
  const copy = rolloutOfCopy(rollout, operation.id)
  const sql = database.engine({
    purpose: `proof ${operation.id}`,
    searchPath: copy.searchPath,
    statementTimeoutMs: 600_000,
  })
  const reader = database.engine({ purpose: 'proof' })
  try {
    await removeCopies(run, sql, copy)
    run.step('making a copy for the proof')
    const made = await copyOf(reader, rollout, table, catalog, copy)
    await makeCopy(run, sql, made.statements, copy)
    run.step('proving the migration on the copy')
    return await prove({ run, sql, reader, table, copy, leftOut: made.leftOut }, sampleRows)
  } finally {
    await removeCopies(run, sql, copy).catch((error: unknown) => {
      if (!isAway(error)) throw error
    })
    await Promise.all([sql, reader].map((one) => one.end({ timeout: 1 })))
  }
}

interface Proving {
  readonly run: Run
  readonly sql: Sql
  readonly reader: Sql
  readonly table: Table
  readonly copy: Rollout
  readonly leftOut: readonly string[]
}

async function prove({ run, sql, reader, table, copy, leftOut }: Proving, sampleRows: number): Promise<Proof> {
  const { database, rollout } = run
  const rows = await fillCopy(sql, rollout, table, copy, sampleRows)
  const keys = await foreignKeys(reader, rollout, table, copy)
  for (const statement of keys.after) await sql.unsafe(statement)
  const here = await inspect(database.state, copy)
  const dualWrite = dualWriteOf(copy, here)
  for (const change of dualWrite) await sql.unsafe(change.statement)
  // Rows that come after the drop: they are held back until then.
  const later = `${quote(copy.table.schema)}."~later"`
  const kept = keptOf(copy, here)
  const columns = here.columns.filter((column) => !column.generated)
  await sql.unsafe(
    `create table ${later} as select * from ${copy.table.sql} limit ${Math.min(LATER, Math.floor(rows / 4))}`,
  )
  await sql.unsafe(`delete from ${copy.table.sql} as t using ${later} as l where ${sameKey(kept, 't', 'l')}`)
  await archive(sql, run, copy, here)
  const before = await readLegacyCatalog(database, copy, here)
  const images = `${quote(copy.table.schema)}."~before"`
  await sql.unsafe(`create table ${images} as select * from ${copy.table.sql}`)
  const migration = writeMigration({ rollout: copy, table: here, catalog: before, changes: dualWrite })
  const checks: ProofCheck[] = []
  const up = await attempted(checks, 'up runs', () => runTimed(sql, migration.up))
  if (up === null) return { ...NOTHING, rows, checks, leftOut }
  const gone = await inspect(database.state, copy)
  const left = before.relations[0]!.columns.filter((column) => gone.columns.some(({ name }) => name === column.name))
  checks.push({
    check: 'the columns are gone',
    ok: left.length === 0,
    detail:
      left.length === 0 ? `${before.relations[0]!.columns.length} columns` : left.map(({ name }) => name).join(', '),
  })
  await attempted(checks, 'up runs again and does nothing', () => runTimed(sql, migration.up))
  const names = columns.map((column) => column.sql).filter((name) => gone.columns.some((column) => column.sql === name))
  await attempted(checks, 'new code writes while the columns are gone', async () => {
    await sql.unsafe(
      `insert into ${copy.table.sql} (${names.join(', ')}) overriding system value select ${names.join(', ')} from ${later}`,
    )
    await sql.unsafe(
      becomesAnother(
        copy,
        kept.key.map((column) => column.sql),
        images,
      ),
    )
  })
  const down = await attempted(checks, 'down runs', () => runTimed(sql, migration.down))
  if (down === null) return { ...NOTHING, rows, up, checks, leftOut }
  await attempted(checks, 'down runs again and writes nothing', () => runTimed(sql, migration.down))
  const back = await inspect(database.state, copy)
  const found = differences(before, await readLegacyCatalog(database, copy, back))
  checks.push({
    check: 'the catalog is what it was, but for the order of the columns',
    ok: found.length === 0,
    detail: found.length === 0 ? countOf(before) : found.slice(0, 5).join('; '),
  })
  checks.push(await compareData(sql, copy, here, images))
  const times = Math.max(1, table.estimatedRows ?? rows) / Math.max(1, rows)
  return {
    passed: checks.every((check) => check.ok),
    rows,
    up,
    down,
    checks,
    leftOut,
    estimated: { upLockedSeconds: up.lockedSeconds * times, downLockedSeconds: down.lockedSeconds * times },
  }
}

const NOTHING = {
  passed: false,
  up: null,
  down: null,
  estimated: { upLockedSeconds: 0, downLockedSeconds: 0 },
} satisfies Partial<Proof>

/** A refusal of PostgreSQL is an answer of the proof; a lost connection is none. */
async function attempted<T>(checks: ProofCheck[], check: string, work: () => Promise<T>): Promise<T | null> {
  try {
    const done = await work()
    checks.push({ check, ok: true, detail: '' })
    return done
  } catch (error) {
    if (codeOf(error) === null || !['row', 'fail'].includes(faultOf(error))) throw error
    checks.push({ check, ok: false, detail: `${messageOf(error)} (${codeOf(error)})` })
    return null
  }
}

function dualWriteOf(copy: Rollout, table: Table) {
  if (copy.file.dualWrite === 'application') return []
  const safe = cannotRaise(copy, table)
  return [deriveFunction(copy, safe), deriveTrigger(copy, safe), restoreFunction(copy, table)]
}

/** At once, in the proof's own transaction: nobody else writes the copy. */
async function archive(sql: Sql, run: Run, copy: Rollout, table: Table): Promise<void> {
  const kept = keptOf(copy, table)
  await sql.unsafe(makeArchive(copy, table).statement)
  await sql.unsafe(keepTriggers(copy, table).statement)
  await sql.unsafe(
    `insert into ${archiveTable(copy).sql} (${listed(kept, null)}) select ${listed(kept, 't')} from ${copy.table.sql} as t`,
  )
  await sql.unsafe(newManifest(copy, table, run.operation.id))
  await sql.unsafe(
    `update sti.column_archive set completed_at = clock_timestamp() where rollout = ${literal(copy.name)}`,
  )
  await sql.unsafe(`insert into sti.flag (rollout, enabled, percentage) values (${literal(copy.name)}, true, 100)`)
}

function countOf({ indexes, constraints, statistics }: LegacyCatalog): string {
  return `${constraints.length} constraints, ${indexes.length} indexes and ${statistics.length} statistics objects came back`
}
