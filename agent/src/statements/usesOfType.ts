import type { Sql } from '../database/connect.ts'
import { OWN_STATEMENT_SQL } from '../database/tagStatement.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { parseStatements } from '../rollout/sqlParser.ts'
import { findColumnUses } from './columnUses.ts'
import { findReadableStatements } from './readableStatements.ts'
import { readColumnUseTarget } from './readColumnUseTarget.ts'

/** How many statements are parsed, those with the most calls first. */
const MAX_PARSED_STATEMENTS = 1_000

/**
 * If a statement of an application in pg_stat_statements reads or writes the discriminator: by name, through `*`, or through
 * a view that has it. A statement that cannot be analyzed counts as one. Null: the statements cannot be read.
 */
export async function isTypeUsed(
  sql: Sql,
  { discriminator }: Pick<Rollout, 'discriminator'>,
  table: Pick<Table, 'oid'>,
): Promise<boolean | null> {
  const schema = await findReadableStatements(sql)
  if (schema === null) return null
  const { target, columnsOf } = await readColumnUseTarget(sql, { legacyColumns: [discriminator.column] }, table)
  const views = await readViewsOf(sql, table.oid, discriminator.column)
  const names = [...target.relations.map(({ name }) => name), ...views].map((name) => name.toLowerCase())
  const rows = await sql<{ text: string | null }[]>`
    select /* sti */ query as text from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and not ${sql.unsafe(OWN_STATEMENT_SQL)}
      and query ~* '^\\s*(select|insert|update|delete|merge|with|copy|prepare|declare)\\M'
      and exists (select from jsonb_array_elements_text(${sql.json(names)}::jsonb) relation (name)
        where strpos(lower(query), relation.name) > 0)
    group by query order by sum(calls) desc limit ${MAX_PARSED_STATEMENTS}`
  return rows.some(({ text }) => {
    if (views.some((view) => text!.toLowerCase().includes(view.toLowerCase()))) return true
    try {
      const { reads, writes } = findColumnUses(parseStatements(text!), target, columnsOf)
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
