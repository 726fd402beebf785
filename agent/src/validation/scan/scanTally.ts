import type { ConfusionCell } from '../../contract/index.ts'
import type { Key } from '../../engine/keys.ts'
import type { TypeGroup, RangeResult } from './readRange.ts'
import type { RereadRow, SuspectRow } from './suspectRow.ts'

/** What a reading of the table has summed up so far: plain data, kept with its position. */
export interface ScanTally {
  rows: number
  cells: { actual: string | null; expected: string | null; rows: number }[]
  /** XOR over a hash of each row's key and legacy columns, and of the type where it is wrong; 64 bits, in hex. */
  checksum: string
  raising: number
  raisingKeys: Key[]
  suspects: SuspectRow[]
}

const MAX_SAMPLE_KEYS = 10
/** Rows that are looked at again in all: with more, the table is wrong whatever a second look says. */
const MAX_SUSPECTS = 1_000

export const createTally = (): ScanTally => ({
  rows: 0,
  cells: [],
  checksum: '0',
  raising: 0,
  raisingKeys: [],
  suspects: [],
})

export function countRemainingSuspects({ suspects }: ScanTally): number {
  return MAX_SUSPECTS - suspects.length
}

export function addRange(tally: ScanTally, result: RangeResult): number {
  const rows = result.groups.reduce((sum, group) => sum + group.rows, 0)
  for (const group of result.groups) addGroup(tally, group)
  tally.rows += rows
  tally.checksum = (BigInt(`0x${tally.checksum}`) ^ BigInt.asUintN(64, BigInt(result.checksum))).toString(16)
  tally.suspects.push(...result.suspects)
  return rows
}

export function addRaisingRow(tally: ScanTally, key: Key): void {
  tally.rows++
  tally.raising++
  if (tally.raisingKeys.length < MAX_SAMPLE_KEYS) tally.raisingKeys.push(key)
}

/** A suspect is counted as what it is now, or not at all when it is gone. */
export function recountSuspect(tally: ScanTally, suspect: SuspectRow, currentRow: RereadRow): void {
  addGroup(tally, { ...pickTypes(suspect), rows: -1 })
  if (currentRow === null) tally.rows--
  else addGroup(tally, { ...pickTypes(currentRow), rows: 1 })
}

export function buildConfusionMatrix({ cells }: ScanTally): ConfusionCell[] {
  return cells.filter((cell) => cell.rows > 0).sort((a, b) => b.rows - a.rows)
}

export const takeSampleKeys = (suspects: readonly SuspectRow[]): Key[] =>
  suspects.slice(0, MAX_SAMPLE_KEYS).map(({ key }) => key)

function addGroup(tally: ScanTally, { actual, expected, rows }: TypeGroup): void {
  const cell = tally.cells.find((one) => one.actual === actual && one.expected === expected)
  if (cell) cell.rows += rows
  else tally.cells.push({ actual, expected, rows })
}

function pickTypes({ actual, expected }: { actual: string | null; expected: string | null }): Omit<TypeGroup, 'rows'> {
  return { actual, expected }
}
