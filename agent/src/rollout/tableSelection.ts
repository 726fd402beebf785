import { z } from 'zod'
import { InvalidSqlError, parseTableName, quoteLiteral, type QualifiedName } from './identifiers.ts'
import { parseQuery } from './parseQuery.ts'
import { sqlField, strictObject } from './schemaFields.ts'

/** The tables of a rollout file: one, every table that a pattern matches, a list of both, or what a query returns. */
export const TableSelectionSchema = z
  .union(
    [
      sqlField(parseTablePattern).describe(
        'as in SQL; default schema: public; * in the schema stands for any characters',
      ),
      z.array(sqlField(parseTablePattern)).min(1, 'needs at least one table'),
      strictObject({
        query: sqlField(parseQuery).describe('one SELECT of one column: the names of the tables, as in SQL'),
      }),
    ],
    {
      error: ({ input }) =>
        input === undefined ? undefined : 'must be a text, such as public.vehicles, a list of texts, or a query',
    },
  )
  .describe('a table, or the same table in several schemas: a pattern, a list, or a query')
export type TableSelection = z.output<typeof TableSelectionSchema>

/** Every table with this name in a schema that the LIKE pattern matches. */
export interface TablePattern {
  readonly text: string
  readonly schemaLike: string
  readonly name: string
  /** The one table that the text names; null: it has a `*`. */
  readonly exact: QualifiedName | null
}

/** Parses the name of a table as in SQL, with `*` in its schema. */
export function parseTablePattern(text: string): TablePattern {
  if (!text.includes('*')) {
    const exact = parseTableName(text)
    return { text, schemaLike: escapeLike(exact.schema), name: exact.name, exact }
  }
  const placeholder = unusedName(text)
  const { schema, name } = parsePattern(text, placeholder)
  if (name.includes(placeholder))
    throw new InvalidSqlError(
      `"${text}" has * in the name of the table. The tables of a rollout have the same name in different schemas: use * in the schema only, such as tenant_*.vehicles, or write a list.`,
    )
  if (!schema.includes(placeholder))
    throw new InvalidSqlError(`"${text}" has no schema with *. Write it such as tenant_*.vehicles.`)
  return {
    text,
    schemaLike: schema.split(placeholder).map(escapeLike).join('%'),
    name,
    exact: null,
  }
}

function parsePattern(text: string, placeholder: string): QualifiedName {
  try {
    return parseTableName(text.replaceAll('*', placeholder))
  } catch (error) {
    if (!(error instanceof InvalidSqlError)) throw error
    throw new InvalidSqlError(error.message.replaceAll(placeholder, '*'))
  }
}

/** Short and in lower case, so that it is a name inside quotes and outside. */
function unusedName(text: string): string {
  for (let i = 0; ; i++) if (!text.toLowerCase().includes(`x${i}x`)) return `x${i}x`
}

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** The table of a file that has one; null: it has several, and is a group. */
export function singleTable(selection: TableSelection): string | null {
  return typeof selection === 'string' && !selection.includes('*') ? selection : null
}

/** The patterns of a selection that is not a query. */
export function selectionPatterns(selection: Exclude<TableSelection, { query: string }>): TablePattern[] {
  return (typeof selection === 'string' ? [selection] : selection).map(parseTablePattern)
}

/** The patterns as rows of SQL: (position, LIKE pattern of the schema, name, the one table or NULL). */
export function patternRowsSql(patterns: readonly TablePattern[]): string {
  return patterns
    .map(({ schemaLike, name, exact }, i) => {
      const one = exact === null ? 'null::text' : quoteLiteral(exact.sql)
      return `(${i}, ${quoteLiteral(schemaLike)}, ${quoteLiteral(name)}, ${one})`
    })
    .join(', ')
}

/** The selection in one line. */
export function describeSelection(selection: TableSelection): string {
  if (typeof selection === 'string') return selection
  return 'query' in selection ? 'the tables of a query' : selection.join(', ')
}

/** True if a selection names this table; what a query names is known to the database only. */
export function selectionNames(selection: TableSelection, { schema, name }: QualifiedName): boolean {
  if (typeof selection === 'object' && 'query' in selection) return true
  return selectionPatterns(selection).some(
    (pattern) => pattern.name === name && likeExpression(pattern.schemaLike).test(schema),
  )
}

function likeExpression(like: string): RegExp {
  const parts = like.match(/\\.|[^]/g) ?? []
  const source = parts.map((part) =>
    part === '%' ? '[^]*' : part.replace(/^\\(?=.)/, '').replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`)
}
