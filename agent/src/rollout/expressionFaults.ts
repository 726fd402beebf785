import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from './identifiers.ts'
import { DRY_RUN_TABLE, dryRunOnEmptyCopy } from './dryRun.ts'
import type { Rollout, Table } from './rollout.ts'

/** Settings that change how PostgreSQL interprets a constant or an operator when it parses an expression. */
const SESSION_SETTINGS = [
  `set local timezone = 'Etc/GMT+12'; set local datestyle = 'ISO, MDY'; set local intervalstyle = 'postgres'; set local transform_null_equals = off`,
  `set local timezone = 'Etc/GMT-14'; set local datestyle = 'ISO, DMY'; set local intervalstyle = 'sql_standard'; set local transform_null_equals = on`,
] as const

/**
 * Checks that every `when` is boolean and immutable, by using it as the predicate of an index. A constant such as
 * 'now'::timestamptz or a time without a zone passes that check, since it is evaluated when the expression is parsed. Each
 * expression is therefore parsed twice under different settings.
 */
export async function expressionFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const overallFault = await predicateFault(sql, rollout, table, `(${rollout.derive(DRY_RUN_TABLE)}) is not null`)
  if (overallFault === null) return []
  const faults: string[] = []
  for (const [i, type] of rollout.file.types.entries()) {
    const fault = await predicateFault(sql, rollout, table, `(${type.when}\n)`)
    if (fault !== null) faults.push(`The when of ${type.name} ${fault} (${rollout.locate(['types', i, 'when'])}).`)
  }
  return faults.length > 0
    ? faults
    : [`The expression that derives the types ${overallFault} (${rollout.locate(['types'])}).`]
}

async function predicateFault(sql: Sql, rollout: Rollout, table: Table, predicate: string): Promise<string | null> {
  const predicates = new Set<string>()
  for (const settings of SESSION_SETTINGS) {
    const result = await dryRunOnEmptyCopy(sql, rollout, table, rollout.legacyColumns, [
      settings,
      `create index "~sti_check_index" on pg_temp.${DRY_RUN_TABLE} ((1)) where ${predicate}`,
      `set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'`,
      `select pg_get_expr(indpred, indrelid) as predicate from pg_index where indexrelid = 'pg_temp."~sti_check_index"'::regclass`,
    ])
    if ('refused' in result) {
      return result.sqlstate === '42P17'
        ? 'is not immutable: its result can change while the row does not. Use columns, constants and immutable functions'
        : `is refused by PostgreSQL: ${result.refused}. Correct it`
    }
    predicates.add(String(result.rows[0]?.['predicate']))
  }
  return predicates.size === 1
    ? null
    : 'has a constant that depends on the session or the current time, such as "now" or a time without a zone. Write it in full, as in \'2026-01-31 00:00+00\''
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
