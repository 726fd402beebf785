import type { Sql } from '../database/connect.ts'
import { classifyError } from '../database/errors.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { formatCount, formatQuantity } from '../format/format.ts'
import { quoteIdentifier, quoteLiteral } from './identifiers.ts'
import type { Rollout, Table } from './rollout.ts'
import { sampleTable } from './tableSample.ts'

/** PostgreSQL's limit for the columns of a table, dropped ones included. */
const MAX_COLUMNS = 1_600
/** A page without its header and one line pointer: the longest row. */
const PAGE_OVERHEAD_BYTES = 32
/** A value that is stored out of line leaves this many bytes in the row; a shorter one than the second stays in it. */
const TOAST_POINTER_BYTES = 18
const MIN_TOASTED_BYTES = 24
/** About this many pages are read, with one row each if the rows are this wide. */
const SAMPLE_PAGES = 5_000

interface StoredColumn {
  readonly name: string
  /** Also true for a virtual generated column: it is not stored. */
  readonly dropped: boolean
  /** Bytes of a type with a fixed length, else null. */
  readonly length: number | null
  readonly alignment: number
  /** False: its values are never stored out of line. */
  readonly toastable: boolean
}

/** Why no column can be added to the table; null: there is room. */
export function columnLimitRefusal(rollout: Rollout, { discriminator, attributes }: Table): string | null {
  if (discriminator !== null || attributes < MAX_COLUMNS) return null
  return `${rollout.table.sql} has ${formatCount(attributes)} columns, dropped ones included, which is PostgreSQL's limit: it has no room for ${rollout.discriminator.sql}. Copy the rows into a new table without the dropped columns, or move columns to another table.`
}

export interface RowWidthFinding {
  /** True: there are such rows now. False: there could be. */
  readonly refused: boolean
  readonly text: string
}

/**
 * Rows that would no longer fit into a page with the type in them: every UPDATE of one would fail. Rows are read only if
 * the widths of the columns allow such a row, which long texts do not, since PostgreSQL stores them out of line.
 */
export async function findRowWidth(sql: Sql, rollout: Rollout, table: Table): Promise<RowWidthFinding | null> {
  if (table.discriminator !== null) return null
  const [columns, { limit, typeLength }] = await Promise.all([
    readStoredColumns(sql, table),
    readSizes(sql, rollout.discriminator.dataType),
  ])
  const widest = widestRowBytes(columns, typeLength ?? Math.max(...rollout.types.map(textBytes)))
  if (widest !== null && widest <= limit) return null
  const { clause, sampled } = await sampleTable(sql, table, SAMPLE_PAGES)
  const { found, derived } = await measureRows(sql, rollout, `${rollout.table.sql} as t${clause}`, columns, limit)
  const advice = `Move columns to another table, or make the type shorter: an enum in discriminator.dataType takes 4 bytes.`
  if (derived && found.tooWide > 0)
    return {
      refused: true,
      text: `${formatCount(found.tooWide)} of ${formatQuantity(found.rows, sampled ? 'sampled row' : 'row')} would not fit into a page of PostgreSQL with the type (up to ${formatCount(found.bytes!)} bytes; limit ${formatCount(limit)}), so every UPDATE of them would fail. ${advice}`,
    }
  const possible =
    widest === null ? 'A row can have' : `A row with a value in every column would have ${formatCount(widest)} bytes,`
  return {
    refused: false,
    text: `${possible} more than the ${formatCount(limit)} bytes that fit into a page of PostgreSQL with the type, and the application's write of such a row would fail; the widest row now would have ${formatCount(found.bytes ?? 0)}. ${advice}`,
  }
}

interface MeasuredRows {
  readonly rows: number
  readonly tooWide: number
  readonly bytes: number | null
}

/** `derived` false: a condition raises an error for a row, so each row was measured with the longest type. */
async function measureRows(
  sql: Sql,
  rollout: Rollout,
  from: string,
  columns: readonly StoredColumn[],
  limit: number,
): Promise<{ readonly found: MeasuredRows; readonly derived: boolean }> {
  const measure = async (type: string): Promise<MeasuredRows> =>
    onlyRow(
      await sql.unsafe<MeasuredRows[]>(
        `select /* sti */ count(*)::float8 as rows, count(*) filter (where bytes > ${limit})::float8 as "tooWide", max(bytes) as bytes
         from (select ${storedBytesSql(columns, type)} as bytes from ${from}) as measured`,
      ),
    )
  try {
    return { found: await measure(rollout.derive('t')), derived: true }
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    const longest = rollout.types.reduce((one, other) => (textBytes(other) > textBytes(one) ? other : one))
    return { found: await measure(`${quoteLiteral(longest)}::${rollout.discriminator.dataType}`), derived: false }
  }
}

async function readStoredColumns(sql: Sql, { oid }: Table): Promise<StoredColumn[]> {
  return [
    ...(await sql<StoredColumn[]>`
      select a.attname as name, a.attisdropped or a.attgenerated = 'v' as dropped, nullif(greatest(a.attlen, -1), -1)::int as length, a.attstorage <> 'p' as toastable,
        case a.attalign when 'd' then 8 when 'i' then 4 when 's' then 2 else 1 end as alignment
      from pg_catalog.pg_attribute a where a.attrelid = ${oid}::oid and a.attnum > 0
      order by a.attnum`),
  ]
}

/** The longest row in bytes, and the length of a data type; null: it varies. */
async function readSizes(sql: Sql, dataType: string): Promise<{ limit: number; typeLength: number | null }> {
  return onlyRow(
    await sql<{ limit: number; typeLength: number | null }[]>`
      select current_setting('block_size')::int - ${PAGE_OVERHEAD_BYTES}::int as limit,
        (select nullif(greatest(typlen, -1), -1)::int from pg_catalog.pg_type where oid = ${dataType}::regtype) as "typeLength"`,
  )
}

/** Bytes of a row with a value in every column and the type; null: values of a column have no bound. */
function widestRowBytes(columns: readonly StoredColumn[], typeBytes: number): number | null {
  // A header of 23 bytes and a bit per column, to the next multiple of 8.
  let bytes = align(23 + Math.ceil((columns.length + 1) / 8), 8)
  for (const { dropped, length, alignment, toastable } of columns) {
    if (dropped) continue
    if (length === null && !toastable) return null
    bytes = length === null ? bytes + MIN_TOASTED_BYTES : align(bytes, alignment) + length
  }
  return bytes + typeBytes
}

const align = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment
/** With a header of one byte. */
const textBytes = (type: string): number => Math.min(Buffer.byteLength(type) + 1, MIN_TOASTED_BYTES)

/**
 * The bytes of a row as PostgreSQL stores it at least: its values that can be out of line have the size of a pointer. The
 * size of a composite value is that of a row with the same header.
 */
function storedBytesSql(columns: readonly StoredColumn[], type: string): string {
  const values = columns.map(({ name, dropped, length, toastable }) => {
    if (dropped) return 'null'
    const column = `t.${quoteIdentifier(name)}`
    if (length !== null || !toastable) return column
    const inline = `case when pg_catalog.pg_column_size(${column}) > ${MIN_TOASTED_BYTES} then ${TOAST_POINTER_BYTES} else pg_catalog.pg_column_size(${column}) end - 1`
    return `pg_catalog.left(${quoteLiteral('x'.repeat(MIN_TOASTED_BYTES))}, ${inline})`
  })
  return `pg_catalog.pg_column_size(row(${[...values, type].join(', ')}))`
}
