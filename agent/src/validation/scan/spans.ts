import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import type { Key } from '../../engine/keys.ts'
import { tuple } from '../../engine/keys.ts'
import type { Range } from '../../engine/range.ts'
import type { Table } from '../../rollout/rollout.ts'
import { MOST_ROWS, type Reading } from './reading.ts'

/**
 * Ranges of a whole-number key by arithmetic: counting rows along the key to find where each range ends costs as much
 * as count(*) once more. A range of so many numbers has at most so many rows, however the keys lie.
 */
export interface Spans {
  /** The next range, about `rows` rows long; null at the end. */
  next(low: Key | null, rows: number): Range | null
  /** How many rows were in a range, so that the next one fits better. */
  observe(range: Range, rows: number): void
  /** Rows may have come after the last key: asked when the end is reached. */
  refresh(): Promise<void>
  reached(low: Key | null): boolean
}

/** With fewer rows than this for each number most ranges would be all but empty. */
const LEAST_DENSITY = 0.02
const WEIGHT = 0.5

/** Null: the key is no single whole number, or its numbers lie too far apart; then ranges are counted. */
export async function createSpans(sql: Sql, reading: Reading): Promise<Spans | null> {
  const { table, walked } = reading
  if (!isWholeNumber(table)) return null
  const key = tuple(walked.key, 't')
  const ends = async (): Promise<{ first: bigint; last: bigint } | null> => {
    const row = onlyRow(
      await sql.unsafe<{ first: string | null; last: string | null }[]>(
        `select /* sti */ min(${key})::text as first, max(${key})::text as last from ${walked.table.sql} as t`,
      ),
    )
    return row.first === null || row.last === null ? null : { first: BigInt(row.first), last: BigInt(row.last) }
  }
  const found = await ends()
  if (found === null) return null
  const first = found.first
  let last = found.last
  let density = Math.min(1, (table.estimatedRows ?? 0) / Number(last - first + 1n))
  if (density < LEAST_DENSITY) return null
  const spanOf = (rows: number): bigint =>
    BigInt(Math.max(1, Math.min(MOST_ROWS, Math.round(rows / Math.max(density, LEAST_DENSITY / 10)))))
  const reached = (low: Key | null): boolean => low !== null && BigInt(low[0]!) >= last
  return {
    reached,
    next(low, rows) {
      if (reached(low)) return null
      const from = low === null ? first - 1n : BigInt(low[0]!)
      // What is left is cut evenly: for a small last range PostgreSQL may well read the whole table once more.
      const left = Number(last - from) * density
      const even = left / Math.max(1, Math.round(left / rows))
      const to = from + spanOf(even)
      return { low, high: [String(to < last ? to : last)], rows: Math.max(2, Math.round(even)) }
    },
    observe(range, rows) {
      const from = range.low === null ? first - 1n : BigInt(range.low[0]!)
      const measured = rows / Math.max(1, Number(BigInt(range.high[0]!) - from))
      density = WEIGHT * measured + (1 - WEIGHT) * density
    },
    async refresh() {
      const now = await ends()
      if (now !== null && now.last > last) last = now.last
    },
  }
}

function isWholeNumber({ key, columns }: Table): boolean {
  const [only, second] = key
  const type = columns.find((column) => column.name === only?.name)?.baseType
  return second === undefined && ['int2', 'int4', 'int8'].includes(type ?? '')
}
