import type { Sql } from '../database/connect.ts'
import { DdlStopped, journal, runDdl, type Change } from '../engine/ddl.ts'
import { codeOf, messageOf, OperationFailure } from '../engine/errors.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { identifier, literal } from '../engine/literal.ts'
import { cannotRaise } from '../rollout/raise.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { constraintName, indexName, indexSql } from './names.ts'
import { finalizeMissing } from './verify.ts'

export const finalize: Kind = {
  kind: 'finalize',
  writesTable: true,
  refusals(facts) {
    const { rollout, table } = facts
    const wantsNotNull = rollout.file.constraint === 'notNull' && table !== null
    return [
      ...facts.faults,
      ...(facts.stage === 'covered' ? ['Coverage is not verified: run a validation first.'] : []),
      ...(['new', 'expanded', 'backfilling'].includes(facts.stage)
        ? ['The backfill has not ended: run it, then a validation.']
        : []),
      ...(facts.stage === 'rolled-back' ? ['The rollout is rolled back: run a validation first.'] : []),
      ...(wantsNotNull && (rollout.mayBeUnmapped || !cannotRaise(rollout, table))
        ? [
            'constraint: notNull needs `otherwise` and conditions of columns, constants and comparisons only: else a write of the application could fail.',
          ]
        : []),
    ]
  },
  async preview({ rollout, table, facts }) {
    return {
      rows: 0,
      estimatedSeconds: Math.max(1, (table.estimatedRows ?? 0) / 1_000_000) * 2,
      statements: [
        `analyze ${rollout.table.sql}`,
        createIndex(rollout, rollout.table.sql).statement,
        ...constraintSteps(rollout).map(([change]) => change.statement),
      ],
      notes: [
        facts.finalizeMissing.length === 0
          ? 'Everything is there already.'
          : `Missing: ${facts.finalizeMissing.join(', ')}.`,
        'The index is made CONCURRENTLY and the constraint is validated without blocking writes.',
      ],
    }
  },
  run: runFinalize,
}

async function runFinalize(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  const facts = await run.facts()
  const table = facts.table!
  const sql = database.engine({
    ...{ purpose: 'finalize', searchPath: rollout.searchPath },
    // CREATE INDEX CONCURRENTLY waits for older transactions without a lock of ours in the way of anybody.
    ...{ statementTimeoutMs: 0, lockTimeoutMs: 0 },
  })
  try {
    run.step('making the index')
    await makeIndex(run, sql, table)
    for (const [change, validate] of constraintSteps(rollout)) {
      if (stopped(run)) return { outcome: 'stopped' }
      run.step(`making ${change.object}`)
      await makeConstraint(run, sql, change, validate)
    }
    if (rollout.file.constraint === 'notNull' && table.discriminator?.notNull === false) await setNotNull(run, sql)
    run.step('gathering statistics')
    await sql.unsafe(`analyze ${rollout.table.sql}`)
    const missing = await finalizeMissing(database.state, rollout, (await run.facts()).table!)
    if (missing.length > 0)
      throw new OperationFailure('finalize', `Still missing: ${missing.join(', ')}. Finalize again.`)
    return { outcome: 'succeeded', result: { index: indexName(rollout), constraint: rollout.file.constraint } }
  } catch (error) {
    if (error instanceof DdlStopped) return { outcome: 'stopped' }
    if (codeOf(error) !== '23514') throw error
    throw new OperationFailure(
      'finalize',
      `A row does not hold what the constraint asks: ${messageOf(error)}. Run a validation.`,
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const stopped = (run: Run): boolean => run.asked() !== 'go-on'

function createIndex(rollout: Rollout, table: string): Change {
  return {
    kind: 'index',
    object: indexSql(rollout),
    statement: `create index concurrently ${identifier(indexName(rollout))} on ${table} (${rollout.discriminator.sql})`,
    inverse: `drop index if exists ${indexSql(rollout)}`,
  }
}

/**
 * CONCURRENTLY runs outside a transaction: journaled before, confirmed after. One that failed leaves an INVALID index,
 * which is dropped before the next try. A partitioned table gets its index partition by partition, then attached.
 */
async function makeIndex(run: Run, sql: Sql, table: Table): Promise<void> {
  const { rollout } = run
  const state = run.database.state
  const existing = await indexState(state, table.oid, indexName(rollout))
  if (existing === 'valid') return await confirm(run)
  const change = createIndex(rollout, rollout.table.sql)
  if (existing === null) await state.unsafe(journal(run, change, false))
  if (table.partitioned) {
    if (existing === null)
      await sql.unsafe(
        `create index ${identifier(indexName(rollout))} on only ${rollout.table.sql} (${rollout.discriminator.sql})`,
      )
    for (const partition of table.partitions) {
      const name = `${indexName(rollout).slice(0, 50)}_${partition.oid}`
      const there = await indexState(state, partition.oid, name)
      const schema = partition.sql.slice(0, partition.sql.lastIndexOf('."'))
      if (there === 'invalid') await sql.unsafe(`drop index concurrently if exists ${schema}.${identifier(name)}`)
      if (there !== 'valid')
        await sql.unsafe(
          `create index concurrently ${identifier(name)} on ${partition.sql} (${rollout.discriminator.sql})`,
        )
      await sql.unsafe(`alter index ${indexSql(rollout)} attach partition ${schema}.${identifier(name)}`)
    }
  } else {
    if (existing === 'invalid') await sql.unsafe(`drop index concurrently if exists ${indexSql(rollout)}`)
    await sql.unsafe(change.statement)
  }
  await confirm(run)
  await run.event('ddl', `index ${indexName(rollout)} is there`)
}

async function confirm(run: Run): Promise<void> {
  await run.database.state`
    update sti.change set confirmed_at = clock_timestamp()
    where rollout = ${run.rollout.name} and object = ${indexSql(run.rollout)} and confirmed_at is null`
}

async function indexState(sql: Sql, table: number, name: string): Promise<'valid' | 'invalid' | null> {
  const [row] = await sql<{ valid: boolean }[]>`
    select i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = ${table}::oid and c.relname = ${name}`
  return row === undefined ? null : row.valid ? 'valid' : 'invalid'
}

/** The change, and the statement that validates it while writes go on. */
function constraintSteps(rollout: Rollout): [change: Change, validate: string][] {
  const name = identifier(constraintName(rollout))
  const column = rollout.discriminator.sql
  const table = rollout.table.sql
  const types = rollout.types.map((type) => `${literal(type)}::${rollout.discriminator.dataType}`).join(', ')
  const notNull = rollout.file.constraint === 'notNull' ? `${column} is not null and ` : ''
  return [
    [
      {
        kind: 'constraint',
        object: `${name} on ${table}`,
        statement: `alter table ${table} add constraint ${name} check (${notNull}${column} in (${types})) not valid`,
        inverse: `alter table ${table} drop constraint if exists ${name}`,
      },
      `alter table ${table} validate constraint ${name}`,
    ],
  ]
}

async function makeConstraint(run: Run, sql: Sql, change: Change, validate: string): Promise<void> {
  const [there] = await run.database.state<{ validated: boolean }[]>`
    select convalidated as validated from pg_constraint
    where conrelid = ${run.rollout.table.sql}::regclass and conname = ${constraintName(run.rollout)}`
  if (there?.validated) return
  if (there === undefined) await runDdl(run, sql, { what: 'adding the constraint', steps: [change] })
  await sql.unsafe(validate)
  await run.event('ddl', `${change.object} is there and validated`)
}

/** The validated CHECK proves it, so that PostgreSQL does not scan under its lock. */
async function setNotNull(run: Run, sql: Sql): Promise<void> {
  const { rollout } = run
  const alter = `alter table ${rollout.table.sql} alter column ${rollout.discriminator.sql}`
  await runDdl(run, sql, {
    what: 'setting NOT NULL',
    steps: [
      {
        kind: 'not-null',
        object: `${rollout.discriminator.sql} not null`,
        statement: `${alter} set not null`,
        inverse: `${alter} drop not null`,
      },
    ],
  })
}
