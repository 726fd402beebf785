import { RESOLUTIONS, counterSql } from '../../dualWrite/counter.ts'
import { functionName } from '../../dualWrite/trigger.ts'
import type { Sql } from '../../database/connect.ts'
import { runDdl } from '../../engine/ddl.ts'
import type { Run } from '../../engine/kind.ts'
import { literal, quote } from '../../rollout/names.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveFunction, archiveTable } from '../archive/names.ts'

/** Journaled before it is made: whatever becomes of this agent, the journal says what to take away. */
export async function makeCopy(run: Run, sql: Sql, statements: readonly string[], copy: Rollout): Promise<void> {
  const [first, ...rest] = statements
  const object = quote(copy.table.schema)
  await runDdl(run, sql, {
    what: 'making a schema for the proof',
    steps: [
      {
        kind: 'proof',
        object,
        statement: first!,
        inverse: removing(copy).join(';\n'),
        look: `to_regnamespace(${literal(object)})::text`,
        back: null,
      },
    ],
  })
  for (const statement of rest) await sql.unsafe(statement)
}

/** Takes away the copy, and what earlier proofs of the rollout left when their agent died. */
export async function removeCopies(run: Run, sql: Sql, copy: Rollout): Promise<void> {
  await sql.unsafe('rollback')
  const left = await sql.unsafe<{ id: string; inverse: string }[]>(
    `select id::text, inverse from sti.change where rollout = $1::text and kind = 'proof' and reverted_at is null`,
    [run.rollout.name],
  )
  for (const statement of removing(copy)) await sql.unsafe(statement)
  for (const { id, inverse } of left) {
    await sql.unsafe(inverse)
    await sql.unsafe(
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id} where id = $1::text::bigint`,
      [id],
    )
  }
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
