import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from './identifiers.ts'
import { DRY_RUN_TABLE, dryRunOnEmptyCopy } from './dryRun.ts'
import type { Rollout, Table } from './rollout.ts'

/** Checks that every `when` is immutable, by using it as the predicate of an index. The names of the rollout are resolved. */
export async function expressionFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const overallFault = await predicateFault(sql, rollout, table, `(${rollout.derive(DRY_RUN_TABLE)}) is not null`)
  if (overallFault === null) return []
  const faults: string[] = []
  for (const [i, condition] of rollout.conditions.entries()) {
    const fault = await predicateFault(sql, rollout, table, `(${condition}\n)`)
    if (fault !== null)
      faults.push(`The when of ${rollout.types[i]!} ${fault} (${rollout.locate(['types', i, 'when'])}).`)
  }
  return faults.length > 0
    ? faults
    : [`The expression that derives the types ${overallFault} (${rollout.locate(['types'])}).`]
}

async function predicateFault(sql: Sql, rollout: Rollout, table: Table, predicate: string): Promise<string | null> {
  const result = await dryRunOnEmptyCopy(sql, rollout, table, rollout.legacyColumns, [
    `create index "~sti_check_index" on pg_temp.${DRY_RUN_TABLE} ((1)) where ${predicate}`,
  ])
  if (!('refused' in result)) return null
  return result.sqlstate === '42P17'
    ? 'is not immutable: its result can change while the row does not. Use columns, constants and immutable functions'
    : `is refused by PostgreSQL: ${result.refused}. Correct it`
}

/** Checks that each restore can be written to its columns and derives its own type again. */
export async function restoreFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const faults: string[] = []
  for (const [i, type] of rollout.types.entries()) {
    const restore = rollout.restoreValues(type)
    if (restore === null) continue
    const place = rollout.locate(i < rollout.file.types.length ? ['types', i, 'restore'] : ['otherwise', 'restore'])
    const columns = [...restore.keys()]
    const columnList = columns.map((name) => table.columns.find((column) => column.name === name)!.sql).join(', ')
    const value = `${quoteLiteral(type)}::${rollout.discriminator.dataType}`
    const result = await dryRunOnEmptyCopy(sql, rollout, table, columns, [
      columns.length > 0
        ? `insert into pg_temp.${DRY_RUN_TABLE} (${columnList}) values (${[...restore.values()].map((constant) => `${constant}\n`).join(', ')})`
        : `insert into pg_temp.${DRY_RUN_TABLE} default values`,
      `select ${rollout.derive('c')} is not distinct from ${value} as same, (${rollout.derive('c')})::text as derived from pg_temp.${DRY_RUN_TABLE} as c`,
    ])
    if ('refused' in result) {
      faults.push(`Cannot write the restore of ${type}: ${result.refused}. Correct it (${place}).`)
    } else if (result.rows[0]?.['same'] !== true) {
      const derived = (result.rows[0]?.['derived'] as string | null | undefined) ?? 'no type'
      faults.push(
        `The restore of ${type} derives ${derived}, so new code's writes of ${type} would be lost. Correct it (${place}).`,
      )
    }
  }
  return faults
}
