import type { KeyColumn } from '../rollout/rollout.ts'
import type { Key } from './keys.ts'

/**
 * Rows by where they stand in the heap, as if that were their key. A walk along the heap needs no index, reads each page
 * once and in order whatever the primary key is, and cuts the table evenly however sparse or skewed its keys are. It
 * misses rows that move meanwhile; under the dual-write trigger whoever moves a row makes it right by that. Where there
 * is no such trigger a walk by key follows.
 */
export const CTID_KEY: readonly KeyColumn[] = [{ name: 'ctid', sql: 'ctid', type: 'tid' }]

/** Below the first row of a block: `after(a) < place <= after(b)` are the blocks from a up to, and without, b. */
export function blockStart(block: number): Key {
  return [`(${block},0)`]
}

/** The block and the line pointer that a place stands for. */
export function parseCtid(key: Key): { block: number; line: number } {
  const match = /^\((\d+),(\d+)\)$/.exec(key[0] ?? '')
  if (match === null) throw new Error(`not a place in a table: ${JSON.stringify(key)}`)
  return { block: Number(match[1]), line: Number(match[2]) }
}

/** The first block that may have rows after this place: it may have been passed in part. */
export function firstBlockAfter(key: Key): number {
  return parseCtid(key).block
}

/** The low byte of a row's line pointer on `t`, and the other one. */
export const LINE_POINTER_LOW_BYTE = 'get_byte(tidsend(t.ctid), 5)'
export const LINE_POINTER_HIGH_BYTE = 'get_byte(tidsend(t.ctid), 4)'
/** The whole of it. */
export const LINE_POINTER = `${LINE_POINTER_LOW_BYTE} + 256 * ${LINE_POINTER_HIGH_BYTE}`
