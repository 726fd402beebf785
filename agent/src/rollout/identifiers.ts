import { createHash } from 'node:crypto'
import { parseStatements, stringValues, type ParseNode } from './sqlParser.ts'

export interface QualifiedName {
  readonly schema: string
  readonly name: string
  /** Schema and name, quoted for SQL. */
  readonly sql: string
}

/** Invalid SQL or an invalid name in a rollout file; the message says what to write. */
export class InvalidSqlError extends Error {
  readonly code = 'sql-fault'
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A name as it is written in a rollout file: quoted only if SQL needs it. */
export function writeName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name)
}

export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `<prefix>_<name>`, with a hash instead of the name if it exceeds PostgreSQL's 63 bytes. */
export function boundedName(prefix: string, name: string): string {
  const plain = `${prefix}_${name}`
  if (Buffer.byteLength(plain) <= 63) return plain
  return `${prefix}_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}

/** Parses a table name as in SQL; the default schema is `public`. */
export function parseTableName(text: string): QualifiedName {
  const parts = parseNameParts('TABLE', text)
  if (!parts || parts.length > 2) {
    const advice = /[*%]|,/.test(text)
      ? 'For the same table in several schemas, write a pattern such as tenant_*.vehicles, a list, or a query (docs/tenants.md).'
      : `Write it as in SQL, such as public.vehicles or '"My Schema"."Vehicles"'.`
    throw new InvalidSqlError(`"${text}" is not a table name. ${advice}`)
  }
  const name = parts.at(-1)!
  const schema = parts.length === 2 ? parts[0]! : 'public'
  if (/^pg_/.test(schema) || schema === 'information_schema' || schema === 'sti') {
    throw new InvalidSqlError(
      `schema ${schema} belongs to PostgreSQL or to the agent. Specify a table of the application.`,
    )
  }
  return { schema, name, sql: `${quoteIdentifier(schema)}.${quoteIdentifier(name)}` }
}

/** Parses the name of a column, trigger or rule as in SQL; returns its name in the catalog. */
export function parseName(text: string): string {
  const parts = parseNameParts('COLUMN', `x.${text}`)
  if (!parts || parts.length !== 2) {
    throw new InvalidSqlError(
      `"${text}" is not a name. Write it as in SQL, such as is_truck, or '"Is Truck"' with capitals or spaces.`,
    )
  }
  return parts[1]!
}

/** `COMMENT ON TABLE` accepts only a name: no alias, no ONLY, no list. */
function parseNameParts(kind: 'TABLE' | 'COLUMN', text: string): string[] | null {
  if (Buffer.byteLength(text) > 300 || /U&"/i.test(text)) return null
  try {
    const statements = parseStatements(`COMMENT ON ${kind} ${text}\n IS NULL`)
    const comment = statements[0]?.['CommentStmt'] as { object?: { List?: { items?: unknown } } } | undefined
    const names = statements.length === 1 ? stringValues(comment?.object?.List?.items) : null
    return names?.every((name) => name !== '' && Buffer.byteLength(name) < 63) ? names : null
  } catch {
    return null
  }
}

/** Parses a data type: no array, no SETOF, lengths as plain numbers. */
export function parseDataType(text: string): string {
  const type = parseTypeName(text)
  const names = stringValues(type?.['names'])
  const lengths = ((type?.['typmods'] ?? []) as ParseNode[]).map(
    (modifier) => (modifier['A_Const'] as { ival?: { ival?: number } } | undefined)?.ival?.ival,
  )
  if (!type || !names || names.length > 2 || lengths.includes(undefined)) {
    throw new InvalidSqlError(`"${text}" is not a data type. Write one such as text, varchar(20) or app.vehicle_kind.`)
  }
  if (type['arrayBounds'] || type['setof'] || type['pct_type']) {
    throw new InvalidSqlError(
      `"${text}" cannot be the data type of a discriminator. Use text, varchar, an enum or an unconstrained domain.`,
    )
  }
  if (/^[a-z_][a-z0-9_ ]*(\(\d+\))?$/.test(text)) return text
  return names.map(quoteIdentifier).join('.') + (lengths.length > 0 ? `(${lengths.join(', ')})` : '')
}

/** The parse tree of a data type; null if the text is anything else. */
function parseTypeName(text: string): ParseNode | null {
  if (Buffer.byteLength(text) > 300) return null
  try {
    const statements = parseStatements(`SELECT CAST(NULL AS ${text}\n)`)
    const select = statements[0]?.['SelectStmt'] as ParseNode | undefined
    const targets = select?.['targetList'] as
      { ResTarget?: { name?: string; val?: { TypeCast?: ParseNode } } }[] | undefined
    const only = Object.keys(select ?? {}).every((key) => ['targetList', 'limitOption', 'op'].includes(key))
    if (statements.length !== 1 || targets?.length !== 1 || !only || targets[0]?.ResTarget?.name) return null
    const cast = targets[0]?.ResTarget?.val?.TypeCast
    const isNull = (cast?.['arg'] as { A_Const?: { isnull?: boolean } } | undefined)?.A_Const?.isnull === true
    return isNull ? ((cast?.['typeName'] as ParseNode | undefined) ?? null) : null
  } catch {
    return null
  }
}
