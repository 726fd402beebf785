import postgres from 'postgres'
import type { Sql } from '../database/connect.ts'
import { applicationFunctionAdvice } from '../database/errors.ts'
import { tagStatement } from '../database/tagStatement.ts'
import { quoteLiteral } from './identifiers.ts'
import type { Rollout, Table } from './rollout.ts'

/** The rows of the last statement that returns any, or PostgreSQL's error. */
export type DryRunResult =
  | { readonly rows: readonly Record<string, unknown>[] }
  | {
      readonly refused: string
      readonly sqlstate: string
      /** What to do if a function of the application refused it, such as that of an event trigger; null: none did. */
      readonly functionAdvice: string | null
    }

/** The name of the empty temporary copy of the table. */
export const DRY_RUN_TABLE = '"~sti_check"'
const WHOLE_COPY = '"~sti_check_whole"'

/**
 * Runs statements on an empty copy of the table that has only `columns`, with their types, collations, NOT NULL and the
 * CHECK constraints that need no other column. One call is one transaction that ends with a rollback, so nothing remains.
 */
export function dryRunOnEmptyCopy(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  columns: readonly string[],
  statements: string[],
): Promise<DryRunResult> {
  const copied = table.columns.filter((column) => columns.includes(column.name))
  const notNull = copied.filter((column) => column.notNull)
  return dryRun(sql, [
    // Not one copy whose other columns are dropped: with a thousand of them, that takes PostgreSQL seconds.
    `create temporary table ${WHOLE_COPY} (like ${rollout.table.sql})`,
    `create temporary table ${DRY_RUN_TABLE} as select ${copied.map((column) => column.sql).join(', ')} from pg_temp.${WHOLE_COPY} with no data`,
    ...(notNull.length > 0
      ? [`alter table ${DRY_RUN_TABLE} ${notNull.map((column) => `alter ${column.sql} set not null`).join(', ')}`]
      : []),
    addChecksSql(rollout, copied),
    ...statements,
  ])
}

/** Adds the CHECK constraints of the table that read only these columns. */
function addChecksSql({ table }: Rollout, columns: readonly Table['columns'][number][]): string {
  const numbers = `'{${columns.map((column) => column.number).join(',')}}'::int2[]`
  const block = `declare definition text; begin
    for definition in select pg_catalog.format('add constraint %I %s', c.conname, pg_catalog.pg_get_constraintdef(c.oid))
      from pg_catalog.pg_constraint c
      where c.conrelid = ${quoteLiteral(table.sql)}::regclass and c.contype = 'c' and c.conkey <@ ${numbers} order by c.conname loop
      execute 'alter table pg_temp.${DRY_RUN_TABLE} ' || definition;
    end loop;
  end`
  return `do ${quoteLiteral(block)}`
}

/** Runs statements in one transaction and rolls it back. Throws errors unrelated to the file, such as a lost connection. */
export async function dryRun(sql: Sql, statements: string[]): Promise<DryRunResult> {
  const text = ['set local search_path = pg_catalog, pg_temp', ...statements.map(tagStatement), 'rollback'].join(
    '\n;\n',
  )
  try {
    const results = (await sql.unsafe(text)) as unknown as Record<string, unknown>[][]
    return { rows: results.findLast((rows) => rows.length > 0) ?? [] }
  } catch (error) {
    if (error instanceof postgres.PostgresError && /^(0A|22|23|2B|3F|42|44|54|P0)/.test(error.code)) {
      return { refused: refusalText(error), sqlstate: error.code, functionAdvice: applicationFunctionAdvice(error) }
    }
    throw error
  }
}

/** PostgreSQL's message with its DETAIL and HINT, without a period at the end. */
const refusalText = ({ message, detail, hint }: postgres.PostgresError): string =>
  [message, detail, hint]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => part!.replace(/\.$/, ''))
    .join('. ')
