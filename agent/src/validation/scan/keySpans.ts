import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { keyColumns, type Key } from '../../engine/keys.ts'
import type { KeyRange } from '../../engine/keyRange.ts'
import type { Table } from '../../rollout/rollout.ts'
import { MAX_RANGE_ROWS, type ScanTarget } from './readRange.ts'

/**
 * Computes the ranges of an integer key by arithmetic, since counting rows along the key to find the end of each range
 * costs one more count(*). A range of n numbers has at most n rows, regardless of how the keys are distributed.
 */
export interface KeySpans {
  /** The next range, about `rows` rows long; null at the end. */
  next(low: Key | null, rows: number): KeyRange | null
  /** Reports how many rows a range had, which adjusts the size of the next one. */
  observe(range: KeyRange, rows: number): void
  /** Called at the end, since rows may have been added after the last key. */
  refresh(): Promise<void>
  reached(low: Key | null): boolean
}

/** With fewer rows per number, most ranges would be nearly empty. */
const MIN_DENSITY = 0.02
const SMOOTHING_FACTOR = 0.5

/** Null if the key is not a single integer or is too sparse; then ranges are counted. */
export async function createKeySpans(sql: Sql, target: ScanTarget): Promise<KeySpans | null> {
  const { table, walked } = target
  if (!hasIntegerKey(table)) return null
  const [key] = keyColumns(walked.key, 't')
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
      // The rest is split evenly, since PostgreSQL may read the whole table again for a small last range.
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
