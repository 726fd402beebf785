import type { Preview } from '../contract/index.ts'
import { runDdl, type Change } from '../engine/ddl.ts'
import { codeOf, faultOf, messageOf, OperationFailure } from '../engine/errors.ts'
import { literal } from '../engine/literal.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind, Outcome, PreviewContext, Run } from '../engine/kind.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { cannotRaise } from '../rollout/raise.ts'
import { deriveFunction, deriveTrigger, TRIGGER_NAME } from './trigger.ts'

export const expand: Kind = {
  kind: 'expand',
  writesTable: true,
  refusals(facts) {
    return [
      ...facts.faults,
      ...(facts.expanded
        ? [`The column and its trigger are already on ${facts.rollout.table.sql}: start the backfill.`]
        : []),
      ...existingColumnFaults(facts),
      ...triggerNameFaults(facts),
    ]
  },
  async preview({ rollout, table, facts }: PreviewContext): Promise<Partial<Preview>> {
    const statements = changes(rollout, table).map((change) => change.statement)
    return {
      rows: 0,
      estimatedSeconds: 1,
      estimatedWalBytes: 16_384,
      statements,
      notes: [
        'Takes an ACCESS EXCLUSIVE lock for some milliseconds, waits at most 100 ms for it, and tries again.',
        'Sessions with a prepared "SELECT *" on this table get "cached plan must not change result type" once.',
        'From then on each write of this table derives the type, whatever it wrote there itself.',
        ...facts.undeclaredTriggers,
      ],
    }
  },
  run: runExpand,
}

async function runExpand(run: Run): Promise<Outcome> {
  const { rollout, database } = run
  const facts = await run.facts()
  // Asked again after a crash: the transaction had committed.
  if (facts.expanded) return { outcome: 'succeeded', result: {} }
  const table = facts.table!
  const sql = database.engine({ purpose: 'expand', searchPath: rollout.searchPath })
  try {
    const columnIsOurs = facts.changes.some((change) => change.kind === 'column')
    if (table.discriminator !== null && !columnIsOurs) await refuseValues(run, facts)
    run.step('adding the column and its trigger')
    const wanted = changes(rollout, table)
    await runDdl(run, sql, {
      what: 'adding the column and its trigger',
      steps: [...supersede(rollout, wanted), ...wanted, ...probe(rollout, table)],
    })
    await run.event('ddl', 'column, function and trigger are there', {
      after: wanted.map((change) => change.statement),
    })
    return { outcome: 'succeeded', result: { statements: wanted.map((change) => change.statement) } }
  } catch (error) {
    if (codeOf(error) === null || (faultOf(error) !== 'row' && faultOf(error) !== 'fail')) throw error
    if (error instanceof OperationFailure || codeOf(error) === 'stopped' || codeOf(error) === 'fence-lost') throw error
    throw new OperationFailure(
      'expand',
      `PostgreSQL refused it, and everything was taken back: ${messageOf(error)} (${codeOf(error)}). ` +
        'If a trigger of the application raised this, mend it so that it bears one more column, then expand again.',
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function changes(rollout: Rollout, table: Table): Change[] {
  const safe = cannotRaise(rollout, table)
  const column: Change = {
    kind: 'column',
    object: `${rollout.table.sql}.${rollout.discriminator.sql}`,
    statement: `alter table ${rollout.table.sql} add column ${rollout.discriminator.sql} ${rollout.discriminator.dataType}`,
    inverse: `alter table ${rollout.table.sql} drop column if exists ${rollout.discriminator.sql}`,
    before: { existed: false },
  }
  const trigger =
    rollout.file.dualWrite === 'trigger' ? [deriveFunction(rollout, safe), deriveTrigger(rollout, safe)] : []
  return [...(table.discriminator === null ? [column] : []), ...trigger]
}

/** An older version of the same object, made from an earlier file, no longer counts: the new inverse serves both. */
function supersede(rollout: Rollout, wanted: readonly Change[]): string[] {
  return wanted.map(
    (change) => `update sti.change set reverted_at = clock_timestamp()
      where rollout = ${literal(rollout.name)} and object = ${literal(change.object)} and reverted_at is null`,
  )
}

/**
 * Writes one existing row and takes it back: a trigger of the application that copies rows (`select new.*`) would fail
 * on every write from now on.
 */
function probe(rollout: Rollout, table: Table): string[] {
  const key = table.key.map((column) => column.sql).join(', ')
  return [
    'savepoint probe',
    `update ${rollout.table.sql} set ${rollout.discriminator.sql} = null where (${key}) in (
      select ${key} from ${rollout.table.sql} limit 1 for update skip locked)`,
    'rollback to savepoint probe',
  ]
}

/** A column that was there before must be empty: the data rollback could not tell its values from ours. */
async function refuseValues(run: Run, facts: Facts): Promise<void> {
  const { rollout } = run
  const sql = run.database.engine({
    purpose: 'expand',
    searchPath: rollout.searchPath,
    readOnly: true,
    statementTimeoutMs: 600_000,
  })
  try {
    const type = rollout.discriminator.sql
    const [row] = await sql.unsafe<{ key: string }[]>(
      `select concat_ws(', ', ${facts.table!.key.map((column) => `t.${column.sql}::text`).join(', ')}) as key
       from ${rollout.table.sql} as t where t.${type} is not null limit 1`,
    )
    if (row === undefined) return
    throw new OperationFailure(
      'existing-values',
      `Column ${type} was there before and holds a value already (row ${row.key}): the data rollback could not tell it from ours. ` +
        'Set the column to NULL, or drop it, then expand.',
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function existingColumnFaults({ rollout, table }: Facts): string[] {
  const column = table?.discriminator
  if (!column) return []
  if (column.generated) return [`Column ${column.sql} is generated: choose another name for the discriminator.`]
  if (column.notNull) return [`Column ${column.sql} is NOT NULL already: drop that first, or choose another name.`]
  return normalized(column.type) === normalized(rollout.discriminator.dataType)
    ? []
    : [
        `Column ${column.sql} is ${column.type}, the rollout file says ${rollout.discriminator.dataType}: make them equal.`,
      ]
}

function normalized(type: string): string {
  return type
    .toLowerCase()
    .replaceAll('"', '')
    .replace(/^pg_catalog\./, '')
    .replace(/\s+/g, ' ')
}

function triggerNameFaults({ table }: Facts): string[] {
  return (table?.triggers ?? [])
    .filter((one) => one.timing === 'before' && one.forEachRow && !one.ours && one.name > TRIGGER_NAME)
    .map((one) => `Trigger ${one.name} sorts after ${TRIGGER_NAME} and would change a row behind our back: rename it.`)
}
