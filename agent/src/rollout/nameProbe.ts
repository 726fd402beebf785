import { PROBE_PREFIX } from './outsideObjects.ts'
import { quoteIdentifier, quoteLiteral } from './identifiers.ts'

/** An expression or a query that PostgreSQL resolves without running it. */
export interface NameProbe {
  readonly name: string
  /** The columns that it may read, with their types. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly returns: 'boolean' | 'setof record'
  /** The body: one statement. */
  readonly statement: string
}

const VALUE_ALIAS = '"~value"'

/** The statement of a probe of one value. */
export const valueStatement = (expression: string): string => `select (${expression}\n) as ${VALUE_ALIAS}`

/** The statement of a probe of one condition, which must be boolean. */
export const conditionStatement = (expression: string): string =>
  `select true as ${VALUE_ALIAS} where (${expression}\n)`

/**
 * A temporary function with a body of the SQL standard: PostgreSQL parses it when it is created, stores what each name
 * means, and runs nothing of it. An index, a default or a generated column would evaluate constants.
 */
export function createProbeSql({ name, columns, returns, statement }: NameProbe): string {
  const parameters = columns.map((column) => `${quoteIdentifier(column.name)} ${column.type}`).join(', ')
  return `create function pg_temp.${quoteIdentifier(PROBE_PREFIX + name)}(${parameters}) returns ${returns} language sql begin atomic ${statement}\n; end`
}

/**
 * SQL for a jsonb object: the bodies of this session's probes by name, with a schema at every name outside its search_path.
 */
export const PROBE_BODIES_SQL = `(select jsonb_object_agg(substr(proname, ${PROBE_PREFIX.length + 1}), pg_get_function_sqlbody(oid))
  from pg_proc where pronamespace = pg_my_temp_schema() and starts_with(proname, ${quoteLiteral(PROBE_PREFIX)}))`

/** PostgreSQL writes constants as these settings require, and names for the search_path of the agent's sessions. */
export const OUTPUT_SETTINGS = `set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local intervalstyle = 'postgres'; set local extra_float_digits = 1; set local bytea_output = 'hex'; set local search_path = pg_catalog, pg_temp`

/** The statement of a body that PostgreSQL wrote down. */
export function statementOf(body: string): string {
  const statement = /^BEGIN ATOMIC\s+(.*);\s*END$/s.exec(body)?.[1]
  if (statement === undefined) throw new Error(`PostgreSQL wrote a function body of another form: ${body}`)
  return statement
}

/** The expression of a body that PostgreSQL wrote down: a CASE begins on a line of its own. */
export function expressionOf(body: string): string {
  const statement = statementOf(body)
  const [, condition] = /^SELECT true AS "~value"\s+WHERE\s+(.*)$/s.exec(statement) ?? []
  const [, value] = /^SELECT\s+(.*) AS "~value"$/s.exec(statement) ?? []
  const expression = condition ?? value
  if (expression === undefined) throw new Error(`PostgreSQL wrote an expression of another form: ${body}`)
  return expression.trim()
}
