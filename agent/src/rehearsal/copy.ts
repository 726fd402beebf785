import type { Sql } from '../database/connect.ts'
import { counterSql, RESOLUTIONS } from '../dualWrite/counter.ts'
import { functionName } from '../dualWrite/trigger.ts'
import { onlyRow } from '../engine/answer.ts'
import { runDdl } from '../engine/ddl.ts'
import { createFeedback } from '../engine/feedback.ts'
import type { Facts } from '../engine/facts.ts'
import { createGoOn } from '../engine/goOn.ts'
import type { Run } from '../engine/kind.ts'
import { inRange, type Walked } from '../engine/range.ts'
import { ours } from '../engine/ours.ts'
import { walk } from '../engine/walk.ts'
import { constraintName } from '../finalize/names.ts'
import { columnIsOurs } from '../rollback/revert.ts'
import { literal, quote } from '../rollout/names.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Rows of one statement: its snapshot is short. */
const PIECE = 20_000

/** The rollout of the copy of an operation. No rollout file can have its name. */
export function copyOf(rollout: Rollout, operationId: bigint): Rollout {
  const schema = schemaOf(operationId)
  const { name } = rollout.table
  const table = { schema, name, sql: `${quote(schema)}.${quote(name)}` }
  return Object.freeze<Rollout>({ ...rollout, name: nameOf(operationId), table })
}

const schemaOf = (operationId: bigint): string => `sti_rehearsal_${operationId}`
const nameOf = (operationId: bigint): string => `~rehearsal-${operationId}`

/** A table of the same structure in a schema of its own, as it was before expand, without rows. */
export function copyStatements(copy: Rollout, facts: Facts, unlogged: boolean): string[] {
  const { table, discriminator } = copy
  const column = discriminator.sql
  const there = facts.table?.discriminator != null
  return [
    `create schema ${quote(table.schema)}`,
    `create ${unlogged ? 'unlogged ' : ''}table ${table.sql} (like ${facts.rollout.table.sql} including all)`,
    ...(there && columnIsOurs(facts) ? [`alter table ${table.sql} drop column ${column}`] : []),
    ...(there && !columnIsOurs(facts)
      ? [
          `alter table ${table.sql} drop constraint if exists ${quote(constraintName(facts.rollout))}`,
          `alter table ${table.sql} alter column ${column} drop not null`,
        ]
      : []),
  ]
}

/** What the copy does not have of the table. */
export function copyNotes(facts: Facts, table: Table, unlogged: boolean): string[] {
  const triggers = table.triggers.filter((one) => !one.internal && !one.ours).map((one) => one.name)
  return [
    ...(triggers.length > 0
      ? [`Triggers of the application were not copied, since they may write elsewhere: ${triggers.join(', ')}.`]
      : []),
    'Foreign keys, policies and rules were not copied.',
    ...(table.partitioned ? ['The copy is one table, without partitions.'] : []),
    ...(unlogged ? ['The copy is UNLOGGED, since a publication FOR ALL TABLES would send it.'] : []),
    ...(facts.flag.enabled ? ['The flag was not touched: its clients come on top of each time.'] : []),
  ]
}

/** A table that is logged joins each publication FOR ALL TABLES. */
export async function publishesAll(sql: Sql): Promise<boolean> {
  const rows = await sql<{ all: boolean }[]>`
    select /* sti */ exists (select from pg_publication where puballtables) as all`
  return onlyRow(rows).all
}

/**
 * Copies about as many rows of the table, in short statements that only read it: all of a small one, pages spread over a
 * big one. The discriminator is left out. False: it was asked to stop.
 */
export async function copyRows(
  run: Run,
  sql: Sql,
  of: { copy: Rollout; table: Table; tableRows: number; sample: number },
): Promise<boolean> {
  const { copy, table, tableRows, sample } = of
  const columns = table.columns
    .filter((column) => column.name !== copy.discriminator.column && !column.generated)
    .map((column) => column.sql)
    .join(', ')
  const insert = (rest: string): string =>
    ours(`insert into ${copy.table.sql} (${columns}) overriding system value
      select ${columns} from ${run.rollout.table.sql} as t ${rest} on conflict do nothing`)
  const goOn = createGoOn(run, (wait) => run.step(wait === null ? 'copying a sample' : `waits: ${wait.sentence}`))
  if (tableRows <= sample) {
    const walked: Walked = { table: run.rollout.table, key: table.key }
    return await walk({
      sql,
      walked,
      from: null,
      to: null,
      goOn,
      retried: () => undefined,
      feedback: createFeedback(PIECE, PIECE, 0.25),
      async work(range) {
        const { condition, values } = inRange(walked, range, 1)
        await sql.unsafe(insert(`where ${condition}`), values, { prepare: true })
      },
      poison: ({ message }) => run.event('rehearsal', `a row could not be copied: ${message}`),
    })
  }
  const pieces = Math.ceil(sample / PIECE)
  const percent = (100 * sample) / tableRows / pieces
  for (let piece = 1; piece <= pieces; piece++) {
    if (!(await goOn())) return false
    await sql.unsafe(insert(`tablesample system (${percent.toFixed(6)}) repeatable (${piece})`))
  }
  return true
}

/**
 * Takes away all that rehearsals have made: this one's, and those of operations that have ended. Fenced, so that an
 * agent whose lease ran out does not take the copy of the next one.
 */
export async function cleanUp(run: Run, sql: Sql): Promise<void> {
  const left = await sql<{ id: string }[]>`
    select /* sti */ substr(n.nspname, ${'sti_rehearsal_'.length + 1}::int) as id from pg_namespace n
    where n.nspname ~ '^sti_rehearsal_[0-9]+$' and exists (select from sti.operation o
      where o.id::text = substr(n.nspname, ${'sti_rehearsal_'.length + 1}::int) and o.state in ('succeeded', 'failed', 'cancelled'))`
  const ids = new Set([run.operation.id, ...left.map(({ id }) => BigInt(id))])
  // It cleans up also when it is asked to stop.
  const willing: Run = { ...run, asked: () => 'go-on' }
  for (const id of ids) await runDdl(willing, sql, { what: 'taking the copy away', steps: cleaning(id) })
}

function cleaning(id: bigint): string[] {
  const name = nameOf(id)
  const mine = `where rollout = ${literal(name)}`
  return [
    `drop schema if exists ${quote(schemaOf(id))} cascade`,
    `drop function if exists ${functionName({ name })}() cascade`,
    ...RESOLUTIONS.map((resolution) => `drop sequence if exists ${counterSql({ name }, resolution)}`),
    ...['change', 'failed_row', 'archive', 'conflict', 'table_origin'].map(
      (table) => `delete from sti.${table} ${mine}`,
    ),
    `delete from sti.lane where operation_id = ${id}`,
  ]
}
