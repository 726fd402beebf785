import type { Sql } from '../database/connect.ts'
import { errorMessage } from '../database/errors.ts'
import { formatCount } from '../format/format.ts'
import { dryRun } from './dryRun.ts'
import { InvalidSqlError, parseTableName, quoteIdentifier, type QualifiedName } from './identifiers.ts'
import { QueryRefusedError, resolveQuery } from './resolveQuery.ts'
import { NO_TABLE, type RolloutGroup } from './rolloutGroup.ts'
import { patternRowsSql, selectionPatterns, type TablePattern } from './tableSelection.ts'

/** More tables than this are probably a mistake in the pattern. */
const MAX_TABLES = 20_000

/** The tables of a group, sorted by schema, and why some cannot be in it. */
export interface FoundTables {
  readonly tables: readonly QualifiedName[]
  readonly faults: readonly string[]
}

/** Finds the tables that the file of a group names. Throws only if the database cannot be queried. */
export async function findTables(sql: Sql, group: RolloutGroup): Promise<FoundTables> {
  const place = group.locate(['table'])
  const selection = group.tables
  const found =
    typeof selection === 'object' && 'query' in selection
      ? await runSelection(sql, selection.query, group.locate(['table', 'query']))
      : await matchPatterns(sql, selectionPatterns(selection), place)
  if (found.tables.length > MAX_TABLES)
    return {
      tables: [],
      faults: [
        `table names ${formatCount(found.tables.length)} tables, and a rollout has at most ${formatCount(MAX_TABLES)}. Narrow it, or write several files (${place}).`,
      ],
    }
  const usable = found.tables.filter((table) => !isTooLong(table))
  return {
    tables: usable,
    faults: [...found.faults, ...lengthFaults(found.tables, place), ...schemaFaults(usable, place)],
  }
}

/** As for a table that a file names itself. */
const isTooLong = (table: QualifiedName): boolean =>
  [table.schema, table.name].some((name) => Buffer.byteLength(name) > 62)

function lengthFaults(tables: readonly QualifiedName[], place: string): string[] {
  return tables
    .filter(isTooLong)
    .map(
      ({ sql }) =>
        `${sql} has a name of 63 bytes, and the limit is 62. Rename it, or leave it out of table (${place}).`,
    )
}

/** Each child is named by its schema. */
function schemaFaults(tables: readonly QualifiedName[], place: string): string[] {
  return tables.flatMap((table, i) =>
    tables[i - 1]?.schema === table.schema
      ? [
          `${tables[i - 1]!.sql} and ${table.sql} are in one schema, and a rollout has one table of each schema. Write a second file for the other tables (${place}).`,
        ]
      : [],
  )
}

const FOREIGN_SCHEMAS = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'sti')`

async function matchPatterns(sql: Sql, patterns: readonly TablePattern[], place: string): Promise<FoundTables> {
  const rows = await sql.unsafe<{ schema: string; name: string; patterns: number[] }[]>(
    `with /* sti */ pattern (i, schema, name, exact) as (values ${patternRowsSql(patterns)}),
      matched (i, oid) as (
        select i, to_regclass(exact)::oid from pattern where exact is not null
        union all
        select i, c.oid from pattern join pg_class c on c.relname = pattern.name::name
          join pg_namespace n on n.oid = c.relnamespace and n.nspname::text like pattern.schema
          where exact is null
      )
    select n.nspname as schema, c.relname as name, jsonb_agg(matched.i) as patterns
      from matched join pg_class c on c.oid = matched.oid join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and ${FOREIGN_SCHEMAS}
      group by 1, 2 order by n.nspname::text collate "C", c.relname::text collate "C"`,
  )
  const matched = new Set(rows.flatMap((row) => row.patterns))
  const missing = patterns.filter((_, i) => !matched.has(i))
  return {
    tables: rows.map(toName),
    faults: missing.map(({ text, exact }) =>
      exact === null
        ? `No table in this database matches ${text}. Correct table (${place}), or create the first one.`
        : `${text} is not a table of this database. Create it, or remove it from table (${place}).`,
    ),
  }
}

async function runSelection(sql: Sql, query: string, place: string): Promise<FoundTables> {
  const fault = (reason: string): FoundTables => ({
    tables: [],
    faults: [`The query of table must not run: ${reason}. Correct it (${place}).`],
  })
  let names: readonly string[]
  try {
    // The objects that it uses must belong to a role that could name any table itself: a superuser, or the database's owner.
    const scope = { nameSearchPath: 'pg_catalog, public, pg_temp', table: parseTableName(NO_TABLE) }
    const resolved = await resolveQuery(sql, scope, query)
    const answer = await dryRun(sql, [
      'set transaction read only',
      `select coalesce(jsonb_agg(to_jsonb(named)), '[]') as named from (select * from (${resolved}) all_of_them limit ${MAX_TABLES + 1}) named`,
    ])
    if ('refused' in answer) return fault(answer.refused)
    const rows = answer.rows[0]!['named'] as Record<string, unknown>[]
    const columns = Object.keys(rows[0] ?? { one: '' })
    if (columns.length !== 1) return fault(`it has ${columns.length} columns (${columns.join(', ')}), not one`)
    const values = rows.map((row) => row[columns[0]!])
    const unusable = values.find((value) => typeof value !== 'string')
    if (unusable !== undefined) return fault(`it returns ${JSON.stringify(unusable)}, not the name of a table`)
    names = values as string[]
  } catch (error) {
    if (error instanceof QueryRefusedError) return fault(errorMessage(error))
    throw error
  }
  if (names.length === 0)
    return { tables: [], faults: [`The query of table returns no name. Correct it, or add the first row (${place}).`] }
  const patterns: TablePattern[] = []
  const faults: string[] = []
  for (const text of new Set(names)) {
    try {
      parseTableName(text)
      patterns.push(...selectionPatterns(text))
    } catch (error) {
      if (!(error instanceof InvalidSqlError)) throw error
      faults.push(`The query of table returns a wrong name (${place}): ${error.message}`)
    }
  }
  const found = patterns.length === 0 ? { tables: [], faults: [] } : await matchPatterns(sql, patterns, place)
  return { tables: found.tables, faults: [...faults, ...found.faults] }
}

function toName({ schema, name }: { schema: string; name: string }): QualifiedName {
  return { schema, name, sql: `${quoteIdentifier(schema)}.${quoteIdentifier(name)}` }
}
