import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import type { Key } from '../../engine/keys.ts'
import { keyTuple } from '../../engine/keys.ts'
import type { KeyRange } from '../../engine/keyRange.ts'
import type { Table } from '../../rollout/rollout.ts'
import { MAX_RANGE_ROWS, type ScanTarget } from './readRange.ts'

/**
 * Ranges of a whole-number key by arithmetic: counting rows along the key to find where each range ends costs as much
 * as count(*) once more. A range of so many numbers has at most so many rows, however the keys lie.
 */
export interface KeySpans {
  /** The next range, about `rows` rows long; null at the end. */
  next(low: Key | null, rows: number): KeyRange | null
  /** How many rows were in a range, so that the next one fits better. */
  observe(range: KeyRange, rows: number): void
  /** Rows may have come after the last key: asked when the end is reached. */
  refresh(): Promise<void>
  reached(low: Key | null): boolean
}

/** With fewer rows than this for each number most ranges would be all but empty. */
const MIN_DENSITY = 0.02
const SMOOTHING_FACTOR = 0.5

/** Null: the key is no single whole number, or its numbers lie too far apart; then ranges are counted. */
export async function createKeySpans(sql: Sql, target: ScanTarget): Promise<KeySpans | null> {
  const { table, walked } = target
  if (!hasIntegerKey(table)) return null
  const key = keyTuple(walked.key, 't')
  const readKeyBounds = async (): Promise<{ first: bigint; last: bigint } | null> => {
    const row = onlyRow(
      await sql.unsafe<{ first: string | null; last: string | null }[]>(
        `select /* sti */ min(${key})::text as first, max(${key})::text as last from ${walked.table.sql} as t`,
      ),
    )
    return row.first === null || row.last === null ? null : { first: BigInt(row.first), last: BigInt(row.last) }
  }
  const bounds = await readKeyBounds()
  if (bounds === null) return null
  const first = bounds.first
  let last = bounds.last
  let density = Math.min(1, (table.estimatedRows ?? 0) / Number(last - first + 1n))
  if (density < MIN_DENSITY) return null
  const spanForRows = (rows: number): bigint =>
    BigInt(Math.max(1, Math.min(MAX_RANGE_ROWS, Math.round(rows / Math.max(density, MIN_DENSITY / 10)))))
  const isAtEnd = (low: Key | null): boolean => low !== null && BigInt(low[0]!) >= last
  return {
    reached: isAtEnd,
    next(low, rows) {
      if (isAtEnd(low)) return null
      const from = low === null ? first - 1n : BigInt(low[0]!)
      // What is left is cut evenly: for a small last range PostgreSQL may well read the whole table once more.
      const remainingRows = Number(last - from) * density
      const evenRows = remainingRows / Math.max(1, Math.round(remainingRows / rows))
      const to = from + spanForRows(evenRows)
      return { low, high: [String(to < last ? to : last)], rows: Math.max(2, Math.round(evenRows)) }
    },
    observe(range, rows) {
      const from = range.low === null ? first - 1n : BigInt(range.low[0]!)
      const measured = rows / Math.max(1, Number(BigInt(range.high[0]!) - from))
      density = SMOOTHING_FACTOR * measured + (1 - SMOOTHING_FACTOR) * density
    },
    async refresh() {
      const now = await readKeyBounds()
      if (now !== null && now.last > last) last = now.last
    },
  }
}

function hasIntegerKey({ key, columns }: Table): boolean {
  const [only, second] = key
  const type = columns.find((column) => column.name === only?.name)?.baseType
  return second === undefined && ['int2', 'int4', 'int8'].includes(type ?? '')
}
