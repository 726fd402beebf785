import { restoreFunction } from '../../dualWrite/bothWays.ts'
import { RESOLUTIONS, counterSql } from '../../dualWrite/counter.ts'
import { deriveFunction, deriveTrigger, functionName } from '../../dualWrite/trigger.ts'
import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { runDdl } from '../../engine/ddl.ts'
import { codeOf, faultOf, isAway, messageOf } from '../../engine/errors.ts'
import type { Run } from '../../engine/kind.ts'
import { inspect } from '../../rollout/inspect.ts'
import { literal, quote } from '../../rollout/names.ts'
import { cannotRaise } from '../../rollout/raise.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { keepArchive as keepTriggers, makeArchive } from '../archive/changes.ts'
import { newManifest } from '../archive/manifest.ts'
import { archiveFunction, archiveTable, keptOf, listed, sameKey } from '../archive/names.ts'
import type { LegacyCatalog } from '../catalog/legacy.ts'
import { readLegacyCatalog } from '../catalog/read.ts'
import { writeMigration } from '../migration/write.ts'
import { copyOf, fillCopy, foreignKeys } from './copy.ts'
import { differences } from './differences.ts'
import { proofSchema, rolloutOfCopy } from './names.ts'
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

export interface ProofCheck {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
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
    ...{ purpose: `proof ${operation.id}`, searchPath: copy.searchPath, statementTimeoutMs: 600_000 },
  })
  const reader = database.engine({ purpose: 'proof' })
  try {
    await remove(run, sql, copy)
    run.step('making a copy for the proof')
    const made = await copyOf(reader, rollout, table, catalog, copy)
    await make(run, sql, made.statements, copy)
    run.step('proving the migration on the copy')
    return await prove({ run, sql, reader, table, copy, leftOut: made.leftOut }, sampleRows)
  } finally {
    await remove(run, sql, copy).catch((error: unknown) => {
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
  const table1 = Math.max(1, table.estimatedRows ?? rows) / Math.max(1, rows)
  return {
    passed: checks.every((check) => check.ok),
    ...{ rows, up, down, checks, leftOut },
    estimated: { upLockedSeconds: up.lockedSeconds * table1, downLockedSeconds: down.lockedSeconds * table1 },
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

/** One row of each type becomes the next one. */
function becomesAnother({ table, discriminator, types }: Rollout, key: string[], images: string): string {
  const value = (type: string): string => `${literal(type)}::${discriminator.dataType}`
  const next = types.map((type, n) => `when ${value(type)} then ${value(types[(n + 1) % types.length]!)}`)
  const list = key.join(', ')
  return `update ${table.sql} set ${discriminator.sql} = case ${discriminator.sql} ${next.join(' ')} end
    where (${list}) in (select distinct on (${discriminator.sql}) ${list} from ${images}
      where ${discriminator.sql} is not null order by ${discriminator.sql}, ${list})`
}

/** Rows that nobody wrote meanwhile are what they were; those that new code wrote say in their legacy columns what their type says. */
async function compareData(sql: Sql, copy: Rollout, table: Table, images: string): Promise<ProofCheck> {
  const kept = keptOf(copy, table)
  const row = (alias: string): string =>
    `row(${table.columns.map((column) => `${alias}.${column.sql}`).join(', ')})::record`
  const type = copy.discriminator.sql
  const written = `(b.${kept.key[0]!.sql} is null or b.${type} is distinct from t.${type})`
  const answer = await sql.unsafe<{ same: number; other: number; says: number; not: number }[]>(
    `select count(*) filter (where not ${written} and ${row('t')} operator(pg_catalog.*=) ${row('b')})::int as same,
       count(*) filter (where not ${written} and ${row('t')} operator(pg_catalog.*<>) ${row('b')})::int as other,
       count(*) filter (where ${written} and t.${type} is not distinct from ${copy.derive('t')})::int as says,
       count(*) filter (where ${written} and t.${type} is distinct from ${copy.derive('t')})::int as not
     from ${copy.table.sql} as t left join ${images} as b on ${sameKey(kept, 't', 'b')}`,
  )
  const { same, other, says, not } = onlyRow(answer)
  const lost = copy.file.restore === 'none' ? 0 : not
  return {
    check: 'every row is what it was, and those that new code wrote say it in their legacy columns',
    ok: other === 0 && lost === 0,
    detail: `${same} rows the same, ${says} written by new code say it${other + lost > 0 ? `; ${other} are not what they were, ${lost} do not say it` : ''}`,
  }
}

function countOf({ indexes, constraints, statistics }: LegacyCatalog): string {
  return `${constraints.length} constraints, ${indexes.length} indexes and ${statistics.length} statistics objects came back`
}

/** Journaled before it is made: whatever becomes of this agent, the journal says what to take away. */
async function make(run: Run, sql: Sql, statements: readonly string[], copy: Rollout): Promise<void> {
  const [first, ...rest] = statements
  const object = quote(copy.table.schema)
  await runDdl(run, sql, {
    what: 'making a schema for the proof',
    steps: [
      {
        ...{ kind: 'proof', object, statement: first!, inverse: removing(copy).join(';\n') },
        ...{ look: `to_regnamespace(${literal(object)})::text`, back: null },
      },
    ],
  })
  for (const statement of rest) await sql.unsafe(statement)
}

async function remove(run: Run, sql: Sql, copy: Rollout): Promise<void> {
  await sql.unsafe('rollback')
  for (const statement of removing(copy)) await sql.unsafe(statement)
  await sql.unsafe(`update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id}
    where rollout = ${literal(run.rollout.name)} and kind = 'proof' and object = ${literal(quote(proofSchema(run.operation.id)))} and reverted_at is null`)
}

function removing(copy: Rollout): string[] {
  return [
    `drop schema if exists ${quote(copy.table.schema)} cascade`,
    `drop function if exists ${functionName(copy)}(), ${archiveFunction(copy)}()`,
    `drop table if exists ${archiveTable(copy).sql}`,
    `drop sequence if exists ${RESOLUTIONS.map((resolution) => counterSql(copy, resolution)).join(', ')}`,
    `delete from sti.column_archive where rollout = ${literal(copy.name)}`,
    `delete from sti.flag where rollout = ${literal(copy.name)}`,
    `delete from sti.conflict where rollout = ${literal(copy.name)}`,
  ]
}
