import type { Sql } from '../database/connect.ts'
import { conflictCountersSql } from '../dualWrite/conflictCounts.ts'
import { deriveFunctionName, moveFunctionName } from '../dualWrite/deriveTrigger.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { runDdl } from '../ddl/transactional.ts'
import { createBatchSizeController } from '../engine/batchSizeController.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { createSingleWorkerGate } from '../throttle/throttleGate.ts'
import type { RunContext } from '../kind/kind.ts'
import { rangeCondition, type KeyedTable } from '../engine/keyRange.ts'
import { tagStatement } from '../database/tagStatement.ts'
import { endedStates } from '../database/endedStates.ts'
import { createLockWaitReporter } from '../engine/lockWaitReporter.ts'
import { walkRanges } from '../engine/rangeWalk.ts'
import { constraintName } from '../finalize/objectNames.ts'
import { columnCreatedBySti } from '../rollback/revertChanges.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Rows per statement, so that each snapshot is short. */
const SAMPLE_CHUNK_ROWS = 20_000

/** The rollout for the copy of an operation. No rollout file can have the same name. */
export function rehearsalRollout(rollout: Rollout, operationId: bigint): Rollout {
  const schema = copySchema(operationId)
  const { name } = rollout.table
  const table = { schema, name, sql: `${quoteIdentifier(schema)}.${quoteIdentifier(name)}` }
  return Object.freeze<Rollout>({ ...rollout, name: copyName(operationId), table })
}

const copySchema = (operationId: bigint): string => `sti_rehearsal_${operationId}`
const copyName = (operationId: bigint): string => `~rehearsal-${operationId}`

/** Creates an empty table with the structure before expand in a separate schema. */
export function copyStatements(copy: Rollout, facts: RolloutFacts, unlogged: boolean): string[] {
  const { table, discriminator } = copy
  const column = discriminator.sql
  const hasColumn = facts.table?.discriminator != null
  return [
    `create schema ${quoteIdentifier(table.schema)}`,
    `create ${unlogged ? 'unlogged ' : ''}table ${table.sql} (like ${facts.rollout.table.sql} including all)`,
    ...(hasColumn && columnCreatedBySti(facts) ? [`alter table ${table.sql} drop column ${column}`] : []),
    ...(hasColumn && !columnCreatedBySti(facts)
      ? [
          `alter table ${table.sql} drop constraint if exists ${quoteIdentifier(constraintName(facts.rollout))}`,
          `alter table ${table.sql} alter column ${column} drop not null`,
        ]
      : []),
  ]
}

/** How the copy differs from the table. */
export function copyNotes(facts: RolloutFacts, table: Table, unlogged: boolean): string[] {
  const triggers = table.triggers.filter((trigger) => !trigger.internal && !trigger.ours).map((trigger) => trigger.name)
  return [
    ...(triggers.length > 0
      ? [`Triggers of the application are not copied, since they may write to other tables: ${triggers.join(', ')}.`]
      : []),
    'Foreign keys, policies, and rules are not copied.',
    ...(table.partitioned ? ['The copy is not partitioned.'] : []),
    ...(unlogged ? ['The copy is UNLOGGED, since a FOR ALL TABLES publication would replicate it.'] : []),
    ...(facts.flag.enabled ? ['The flag is not changed. A real rollback also waits for its clients.'] : []),
  ]
}

/** Every logged table belongs to FOR ALL TABLES publications. */
export async function hasPublicationForAllTables(sql: Sql): Promise<boolean> {
  const rows = await sql<{ all: boolean }[]>`
    select /* sti */ exists (select from pg_publication where puballtables) as all`
  return onlyRow(rows).all
}

/**
 * Copies about `sample` rows with short statements that only read the table: all rows of a small table, random pages of a
 * large one. Leaves out the discriminator. False: stopped on request.
 */
export async function copyRows(
  run: RunContext,
  sql: Sql,
  options: { copy: Rollout; table: Table; tableRows: number; sample: number },
): Promise<boolean> {
  const { copy, table, tableRows, sample } = options
  const columns = table.columns
    .filter((column) => column.name !== copy.discriminator.column && !column.generated)
    .map((column) => column.sql)
    .join(', ')
  const insert = (rest: string): string =>
    tagStatement(`insert into ${copy.table.sql} (${columns}) overriding system value
      select ${columns} from ${run.rollout.table.sql} as t ${rest} on conflict do nothing`)
  const mayContinue = createSingleWorkerGate(run, 'copying a sample')
  if (tableRows <= sample) {
    const walked: KeyedTable = { table: run.rollout.table, key: table.key }
    return await walkRanges({
      sql,
      target: walked,
      from: null,
      to: null,
      mayContinue,
      onRetry: () => undefined,
      lockWaits: createLockWaitReporter(run, 'copying a sample'),
      sizeController: createBatchSizeController(SAMPLE_CHUNK_ROWS, SAMPLE_CHUNK_ROWS, 0.25),
      async processCountedRange(range) {
        const { condition, values } = rangeCondition(walked, range, 1)
        await sql.unsafe(insert(`where ${condition}`), values, { prepare: true })
      },
      handlePoisonRow: ({ message }) => run.recordEvent('rehearsal', `a row could not be copied: ${message}`),
    })
  }
  const chunks = Math.ceil(sample / SAMPLE_CHUNK_ROWS)
  const percent = (100 * sample) / tableRows / chunks
  for (let chunk = 1; chunk <= chunks; chunk++) {
    if (!(await mayContinue())) return false
    await sql.unsafe(insert(`tablesample system (${percent.toFixed(6)}) repeatable (${chunk})`))
  }
  return true
}

/**
 * Removes everything that this rehearsal, or rehearsals of ended operations, created. Fenced, so that an agent with an
 * expired lease does not remove the copy of its successor.
 */
export async function cleanUp(run: RunContext, sql: Sql): Promise<void> {
  const leftovers = await sql<{ id: string }[]>`
    select /* sti */ substr(n.nspname, ${'sti_rehearsal_'.length + 1}::int) as id from pg_namespace n
    where n.nspname ~ '^sti_rehearsal_[0-9]+$' and exists (select from sti.operation o
      where o.id::text = substr(n.nspname, ${'sti_rehearsal_'.length + 1}::int) and o.state in ${endedStates(sql)})`
  const ids = new Set([run.operation.id, ...leftovers.map(({ id }) => BigInt(id))])
  // The cleanup must finish even if the operation is being stopped.
  const uninterruptedRun: RunContext = { ...run, directive: () => 'continue' }
  for (const id of ids)
    await runDdl(uninterruptedRun, sql, { description: 'removing the copy', steps: cleanUpStatements(id) })
}

function cleanUpStatements(id: bigint): string[] {
  const name = copyName(id)
  const whereRollout = `where rollout = ${quoteLiteral(name)}`
  return [
    `drop schema if exists ${quoteIdentifier(copySchema(id))} cascade`,
    `drop function if exists ${deriveFunctionName({ name })}(), ${moveFunctionName({ name })}() cascade`,
    `drop sequence if exists ${conflictCountersSql({ name }).join(', ')}`,
    ...['change', 'failed_row', 'archived_type', 'conflict', 'table_origin', 'name_resolution'].map(
      (table) => `delete from sti.${table} ${whereRollout}`,
    ),
    `delete from sti.lane where operation_id = ${id}`,
  ]
}
