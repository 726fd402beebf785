import { conflictCountersSql } from '../../dualWrite/conflictCounts.ts'
import { deriveFunctionName, moveFunctionName } from '../../dualWrite/deriveTrigger.ts'
import type { Sql } from '../../database/connect.ts'
import { runDdl } from '../../ddl/transactional.ts'
import type { RunContext } from '../../kind/kind.ts'
import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { splitStatements } from '../../rollout/sqlParser.ts'
import { archiveFunction, archiveTable } from '../archive/archiveSql.ts'

/** Journals the copy before it is created, so that the next agent can drop it if this one crashes. */
export async function createCopy(
  run: RunContext,
  sql: Sql,
  statements: readonly string[],
  copy: Rollout,
): Promise<void> {
  const [first, ...rest] = statements
  const object = quoteIdentifier(copy.table.schema)
  await runDdl(run, sql, {
    description: 'creating the schema of the trial',
    steps: [
      // Otherwise Citus may give the tables of the copy to another node. Without Citus: no such setting.
      `select set_config('citus.enable_schema_based_sharding', 'off', true)
        where current_setting('citus.enable_schema_based_sharding', true) is not null`,
      {
        kind: 'trial',
        object,
        statement: first!,
        inverse: dropCopyStatements(copy).join(';\n'),
        definitionSql: `to_regnamespace(${quoteLiteral(object)})::text`,
        definitionAfterRevert: null,
      },
    ],
  })
  for (const statement of rest) await sql.unsafe(statement)
}

/** Drops the copy, and the copies of earlier trials of the rollout whose agent crashed. */
export async function dropCopies(run: RunContext, sql: Sql, copy: Rollout): Promise<void> {
  await sql.unsafe('rollback')
  const leftovers = await sql.unsafe<{ id: string; inverse: string }[]>(
    `select id::text, inverse from sti.change where rollout = $1::text and kind = 'trial' and reverted_at is null`,
    [run.rollout.name],
  )
  for (const statement of dropCopyStatements(copy)) await sql.unsafe(statement)
  for (const { id, inverse } of leftovers) {
    // Citus takes one command at a time.
    for (const { text } of splitStatements(inverse)) await sql.unsafe(text)
    await sql.unsafe(
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id} where id = $1::text::bigint`,
      [id],
    )
  }
}

function dropCopyStatements(copy: Rollout): string[] {
  return [
    `drop schema if exists ${quoteIdentifier(copy.table.schema)} cascade`,
    `drop function if exists ${deriveFunctionName(copy)}(), ${moveFunctionName(copy)}(), ${archiveFunction(copy)}()`,
    // The copy is in no schema of schema-based sharding.
    `drop table if exists ${archiveTable(copy, { citus: null }).sql}`,
    `drop sequence if exists ${conflictCountersSql(copy).join(', ')}`,
    `delete from sti.column_archive where rollout = ${quoteLiteral(copy.name)}`,
    `delete from sti.flag where rollout = ${quoteLiteral(copy.name)}`,
    `delete from sti.conflict where rollout = ${quoteLiteral(copy.name)}`,
  ]
}
