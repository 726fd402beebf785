import type { Sql } from '../../database/connect.ts'
import { readTableCatalog } from '../catalogFaults.ts'
import { firingTriggers, legacyUpdateTriggers } from '../checkAgainstTable.ts'
import { writeName, type QualifiedName } from '../identifiers.ts'
import type { Column, Table } from '../rollout.ts'
import { sampleTable } from '../tableSample.ts'

/** What a draft of a rollout file is based on. */
export interface DraftInput {
  readonly table: QualifiedName
  readonly columns: readonly DraftColumn[]
  /** Why each of the other columns cannot decide a type. */
  readonly excluded: ReadonlyMap<string, string>
  /** Booleans that are never true in the same row, in the order of the table. Empty if fewer than two. */
  readonly exclusiveBooleans: readonly string[]
  /** Foreign keys that are never set in the same row. Empty if fewer than two. */
  readonly exclusiveForeignKeys: readonly string[]
  /** The application's own triggers and rules that fire on an update of the discriminator. */
  readonly updateTriggers: readonly DraftTrigger[]
  /** Those that fire only if a statement names one of these columns. */
  readonly legacyTriggers: (legacyColumns: readonly string[]) => readonly string[]
  readonly publications: readonly string[]
  readonly owner: string
  readonly database: string
  /** Rows that were counted; `sampled` if that is not the whole table. */
  readonly rows: number
  readonly sampled: boolean
}

export interface DraftColumn extends Column {
  /** The column as in a rollout file, quoted where SQL needs it. */
  readonly name: string
  readonly written: string
  /** References another table by this column alone. */
  readonly foreignKey: boolean
  /** The values with their counts, most frequent first; null if they are no list: more than `MAX_VALUES`, or times, numbers, documents. */
  readonly values: readonly ValueCount[] | null
}

export interface ValueCount {
  /** The value as text; null is NULL. */
  readonly value: string | null
  /** The value as a constant in SQL. */
  readonly literal: string
  readonly count: number
}

export interface DraftTrigger {
  readonly written: string
  /** The function reads the setting `sti.engine`. */
  readonly readsEngineSetting: boolean
}

/** More values than this are no list of types. */
const MAX_VALUES = 50
/** Larger tables are sampled: about this many pages are read. */
const SAMPLE_PAGES = 1_000

const COUNTABLE = new Set(['bool', 'int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'char'])

interface CatalogRow {
  readonly owner: string
  readonly database: string
  readonly foreignKeys: readonly string[]
  readonly written: Readonly<Record<string, string>>
}

/**
 * Reads the catalog and counts the values of every column that could decide the type. Changes nothing. A table of more
 * than 1,000 pages is sampled.
 */
export async function readDraftInput(
  sql: Sql,
  name: QualifiedName,
  table: Table,
  discriminator: string,
): Promise<DraftInput> {
  const [catalog, { publications }, { clause, sampled }] = await Promise.all([
    readCatalog(sql, table.oid),
    readTableCatalog(sql, table.oid),
    sampleTable(sql, table, SAMPLE_PAGES),
  ])
  const from = `${name.sql}${clause}`
  const excluded = new Map<string, string>()
  const columns: DraftColumn[] = []
  for (const column of table.columns) {
    const foreignKey = catalog.foreignKeys.includes(column.name)
    const countable = column.enumLabels !== null || COUNTABLE.has(column.baseType)
    const reason = reasonToExclude(table, column, foreignKey || countable)
    if (reason !== null) {
      excluded.set(column.name, reason)
      continue
    }
    columns.push({
      ...column,
      written: catalog.written[column.name]!,
      foreignKey,
      values: foreignKey || !countable ? null : await countValues(sql, from, column),
    })
  }
  const [counted] = await sql.unsafe<{ rows: number }[]>(`select /* sti */ count(*)::float8 as rows from ${from}`)
  const booleans = columns.filter(isExclusiveCandidate)
  const foreignKeys = columns.filter((column) => column.foreignKey && !column.notNull)
  return {
    table: name,
    columns,
    excluded,
    exclusiveBooleans: await findExclusive(sql, from, booleans, (column) => column.sql),
    exclusiveForeignKeys: await findExclusive(sql, from, foreignKeys, (column) => `${column.sql} is not null`),
    updateTriggers: readUpdateTriggers(table, discriminator),
    legacyTriggers: (legacyColumns) =>
      legacyUpdateTriggers(table, legacyColumns, discriminator).map(({ name }) => writeName(name)),
    publications: (publications ?? []).map((publication) => publication.name),
    owner: catalog.owner,
    database: catalog.database,
    rows: counted!.rows,
    sampled,
  }
}

/** Why a column cannot decide a type in a draft; null if it can, by its values or by being NULL. */
function reasonToExclude(table: Table, column: Column, hasValues: boolean): string | null {
  if (table.key.some(({ name }) => name === column.name)) return 'is part of the key'
  if (table.partitionKey.includes(column.name)) return 'is part of the partition key'
  if (column.generated) return 'is generated: name the columns of its expression'
  if (column.identity !== null) return 'is an identity column'
  if (!hasValues && column.notNull)
    return `is never NULL, and its data type (${column.baseType}) is no list of values: write the "when" of each type manually`
  return null
}

/** Columns such as is_active say something about a row of any type. */
const STATE_NAMES =
  /(^|_)(active|enabled|disabled|deleted|removed|archived|published|verified|confirmed|visible|hidden|locked|default|primary|required|read|done|paid|valid|public|private)$/

function isExclusiveCandidate(column: DraftColumn): boolean {
  const words = column.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return column.baseType === 'bool' && !STATE_NAMES.test(words)
}

async function countValues(sql: Sql, from: string, column: Column): Promise<ValueCount[] | null> {
  const rows = await sql.unsafe<ValueCount[]>(
    `select /* sti */ ${column.sql}::text as value, count(*)::float8 as count,
       case when ${column.sql} is null then 'null'
         when ${isPlain(column) ? 'true' : 'false'} then ${column.sql}::text
         else pg_catalog.quote_literal(${column.sql}::text) end as literal
     from ${from} group by ${column.sql} order by count(*) desc, 1 limit ${MAX_VALUES + 1}`,
  )
  return rows.length > MAX_VALUES ? null : [...rows]
}

/** The value is its own constant. */
const isPlain = (column: Column): boolean => column.baseType === 'bool' || column.baseType.startsWith('int')

/** The largest group, taken in the order of the table, of which no row has two. A column that no row has is left out. */
async function findExclusive(
  sql: Sql,
  from: string,
  columns: readonly DraftColumn[],
  condition: (column: DraftColumn) => string,
): Promise<string[]> {
  if (columns.length < 2) return []
  const conditions = columns.map((column) => `coalesce(${condition(column)}, false)`)
  const combinations = await sql.unsafe<{ set: boolean[] }[]>(
    `select /* sti */ pg_catalog.to_jsonb(array[${conditions.join(', ')}]) as set from ${from} group by 1`,
  )
  const chosen: number[] = []
  columns.forEach((_, i) => {
    const occurs = combinations.some(({ set }) => set[i])
    const clashes = combinations.some(({ set }) => set[i] && chosen.some((other) => set[other]))
    if (occurs && !clashes) chosen.push(i)
  })
  return chosen.length < 2 ? [] : chosen.map((i) => columns[i]!.name)
}

/** Triggers of one name on several partitions are one entry, which skips only if each of them does. */
function readUpdateTriggers(table: Table, discriminator: string): DraftTrigger[] {
  const firing = firingTriggers(table, discriminator)
  const names = [...new Set([...firing.map(({ name }) => name), ...table.updateRules])].sort()
  return names.map((name) => {
    const named = firing.filter((trigger) => trigger.name === name)
    const readsEngineSetting = named.length > 0 && named.every((trigger) => trigger.readsEngineSetting === true)
    return { written: writeName(name), readsEngineSetting }
  })
}

async function readCatalog(sql: Sql, oid: number): Promise<CatalogRow> {
  const [row] = await sql<CatalogRow[]>`
    select /* sti */
      (select pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
        where c.oid = ${oid}) as owner,
      pg_catalog.quote_ident(pg_catalog.current_database()) as database,
      (select coalesce(pg_catalog.jsonb_agg(distinct a.attname), '[]') from pg_catalog.pg_constraint c
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.conrelid = ${oid} and c.contype = 'f' and pg_catalog.array_length(c.conkey, 1) = 1) as "foreignKeys",
      (select pg_catalog.jsonb_object_agg(a.attname, pg_catalog.quote_ident(a.attname)) from pg_catalog.pg_attribute a
        where a.attrelid = ${oid} and a.attnum > 0 and not a.attisdropped) as written`
  return row!
}
