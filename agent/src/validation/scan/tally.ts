import type { ConfusionCell } from '../../contract/index.ts'
import type { Key } from '../../engine/keys.ts'
import type { Group, RangeRead } from './reading.ts'
import type { Seen, Suspect } from './suspect.ts'

/** What a reading of the table has summed up so far: plain data, kept with its position. */
export interface Tally {
  rows: number
  cells: { actual: string | null; expected: string | null; rows: number }[]
  /** XOR over a hash of each row's key and legacy columns, and of the type where it is wrong; 64 bits, in hex. */
  checksum: string
  raising: number
  raisingKeys: Key[]
  suspects: Suspect[]
}

const SAMPLES = 10
/** Rows that are looked at again in all: with more, the table is wrong whatever a second look says. */
const SUSPECTS = 1_000

export const emptyTally = (): Tally => ({
  rows: 0,
  cells: [],
  checksum: '0',
  raising: 0,
  raisingKeys: [],
  suspects: [],
})

export function suspectsLeft({ suspects }: Tally): number {
  return SUSPECTS - suspects.length
}

export function addRange(tally: Tally, read: RangeRead): number {
  const rows = read.groups.reduce((sum, group) => sum + group.rows, 0)
  for (const group of read.groups) addGroup(tally, group)
  tally.rows += rows
  tally.checksum = (BigInt(`0x${tally.checksum}`) ^ BigInt.asUintN(64, BigInt(read.checksum))).toString(16)
  tally.suspects.push(...read.suspects)
  return rows
}

export function addRaising(tally: Tally, key: Key): void {
  tally.rows++
  tally.raising++
  if (tally.raisingKeys.length < SAMPLES) tally.raisingKeys.push(key)
}

/** A suspect is counted as what it is now, or not at all when it is gone. */
export function recount(tally: Tally, suspect: Suspect, now: Seen): void {
  addGroup(tally, { ...pick(suspect), rows: -1 })
  if (now === null) tally.rows--
  else addGroup(tally, { ...pick(now), rows: 1 })
}

export function confusionOf({ cells }: Tally): ConfusionCell[] {
  return cells.filter((cell) => cell.rows > 0).sort((a, b) => b.rows - a.rows)
}

export const samplesOf = (suspects: readonly Suspect[]): Key[] => suspects.slice(0, SAMPLES).map(({ key }) => key)

function addGroup(tally: Tally, { actual, expected, rows }: Group): void {
  const cell = tally.cells.find((one) => one.actual === actual && one.expected === expected)
  if (cell) cell.rows += rows
  else tally.cells.push({ actual, expected, rows })
}

function pick({ actual, expected }: { actual: string | null; expected: string | null }): Omit<Group, 'rows'> {
  return { actual, expected }
}
