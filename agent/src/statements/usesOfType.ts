import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { parseStatements } from '../rollout/sqlParser.ts'
import { findColumnUses } from './columnUses.ts'
import { readColumnUseTarget } from './readColumnUseTarget.ts'
import { readTableStatements } from './tableStatements.ts'

/** Statements that read or write rows, unlike the definition of a view or a trigger. */
const READ_OR_WRITE = '^\\s*(select|insert|update|delete|merge|with|copy|prepare|declare)\\M'

/**
 * If a statement of an application in pg_stat_statements reads or writes the discriminator: by name, through `*`, or through
 * a view that has it. A statement that cannot be analyzed counts as one. Null: the statements cannot be read.
 */
export async function isTypeUsed(
  sql: Sql,
  { discriminator }: Pick<Rollout, 'discriminator'>,
  table: Pick<Table, 'oid'>,
): Promise<boolean | null> {
  const { target, columnsOf } = await readColumnUseTarget(sql, { legacyColumns: [discriminator.column] }, table)
  const views = await readViewsOf(sql, table.oid, discriminator.column)
  const names = [...target.relations.map(({ name }) => name), ...views]
  const statements = await readTableStatements(sql, names, READ_OR_WRITE)
  if (statements === null) return null
  const lowerViews = views.map((view) => view.toLowerCase())
  return statements.some(({ text }) => {
    if (lowerViews.some((view) => text.toLowerCase().includes(view))) return true
    try {
      const { reads, writes } = findColumnUses(parseStatements(text), target, columnsOf)
      return reads.length + writes.length > 0
    } catch {
      return true
    }
  })
}

async function readViewsOf(sql: Sql, oid: number, column: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct /* sti */ v.relname as name
    from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
      join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = ${oid}::oid
      and a.attname = ${column} and v.oid <> d.refobjid`
  return rows.map(({ name }) => name)
}
