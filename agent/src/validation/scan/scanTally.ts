import type { ConfusionCell } from '../../contract/index.ts'
import type { Key } from '../../engine/keys.ts'
import type { TypeGroup, RangeResult } from './readRange.ts'
import type { SuspectRow } from './readRange.ts'
import type { RereadRow } from './suspectRow.ts'

/** The sums of a table scan so far: plain data, saved together with its position. */
export interface ScanTally {
  rows: number
  cells: { actual: string | null; expected: string | null; rows: number }[]
  /** XOR of the hashes of each row's key, legacy columns, and type if it is wrong; 64 bits in hex. */
  checksum: string
  raising: number
  raisingKeys: Key[]
  /** Rows with a legacy value that `restore` of their type would replace. */
  beyondRestore: number
  suspects: SuspectRow[]
}

const MAX_SAMPLE_KEYS = 10
/** The maximum number of rows to recheck: with more, the table is wrong regardless of the recheck. */
const MAX_SUSPECTS = 1_000

export const createTally = (): ScanTally => ({
  rows: 0,
  cells: [],
  checksum: '0',
  raising: 0,
  raisingKeys: [],
  beyondRestore: 0,
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
  tally.beyondRestore += result.beyondRestore
  tally.suspects.push(...result.suspects)
  return rows
}

export function addRaisingRow(tally: ScanTally, key: Key): void {
  tally.rows++
  tally.raising++
  if (tally.raisingKeys.length < MAX_SAMPLE_KEYS) tally.raisingKeys.push(key)
}

/** Counts a suspect with its current type, or not at all if it no longer exists. */
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
  const cell = tally.cells.find((candidate) => candidate.actual === actual && candidate.expected === expected)
  if (cell) cell.rows += rows
  else tally.cells.push({ actual, expected, rows })
}

function pickTypes({ actual, expected }: { actual: string | null; expected: string | null }): Omit<TypeGroup, 'rows'> {
  return { actual, expected }
}
