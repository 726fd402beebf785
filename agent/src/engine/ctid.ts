import type { KeyColumn } from '../rollout/rollout.ts'
import type { Key } from './keys.ts'

/**
 * The position of a row in the heap, used as its key. A walk in heap order needs no index, reads each page once and in
 * order, and cuts the table evenly, whatever the primary key is. It misses rows that move during the walk: the dual-write
 * trigger corrects every row that moves; without that trigger, a walk by primary key follows.
 */
export const CTID_KEY: readonly KeyColumn[] = [{ name: 'ctid', sql: 'ctid', type: 'tid', operators: null }]

/** The position before the first row of a block: `blockStart(a) < ctid <= blockStart(b)` are the blocks a to b - 1. */
export function blockStart(block: number): Key {
  return [`(${block},0)`]
}

/** Block and line pointer of a position. @throws if the key is not a ctid */
export function parseCtid(key: Key): { block: number; line: number } {
  const match = /^\((\d+),(\d+)\)$/.exec(key[0] ?? '')
  if (match === null) throw new Error(`not a ctid: ${JSON.stringify(key)}`)
  return { block: Number(match[1]), line: Number(match[2]) }
}

/** The first block with rows after this position. It may have been passed in part. */
export function firstBlockAfter(key: Key): number {
  return parseCtid(key).block
}

/** Low and high byte of the line pointer of `t`. */
export const LINE_POINTER_LOW_BYTE = 'get_byte(tidsend(t.ctid), 5)'
export const LINE_POINTER_HIGH_BYTE = 'get_byte(tidsend(t.ctid), 4)'
export const LINE_POINTER = `${LINE_POINTER_LOW_BYTE} + 256 * ${LINE_POINTER_HIGH_BYTE}`
