import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { keyAsJson } from '../../engine/keys.ts'
import { ours } from '../../engine/ours.ts'
import { inRange, type Range, type Walked } from '../../engine/range.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { literal } from '../../rollout/names.ts'
import { rowHash } from './rowHash.ts'
import type { Suspect } from './suspect.ts'

/** Rows of a range by the type they hold and the one that their legacy columns say. */
export interface Group {
  readonly actual: string | null
  readonly expected: string | null
  readonly rows: number
}

export interface RangeRead {
  readonly groups: readonly Group[]
  /** As a signed decimal number. */
  readonly checksum: string
  readonly suspects: readonly Suspect[]
}

/** How a range is read: what is always so of this table and file. */
export interface Reading {
  readonly rollout: Rollout
  readonly walked: Walked
  readonly table: Table
  /** A type that was written alone stays, whatever the legacy columns say (`restore: none`, once finalized). */
  readonly keepsTypes: boolean
}

/** The type is not what the legacy columns say, and new code may not have written it either. */
export function differs(reading: Reading, cell: Pick<Group, 'actual' | 'expected'>): boolean {
  const kept = reading.keepsTypes && cell.actual !== null && reading.rollout.types.includes(cell.actual)
  return cell.actual !== cell.expected && !kept
}

/** Two counts share a sum of int4 (of int8 it would take a fifth longer): a code has 31 bits, the sum 63. */
const BITS = 30n
const SLOTS = 2
const MASK = (1n << BITS) - 1n
export const MOST_ROWS = 1 << 21
/** Rows of one range that are looked at again; a range with more of them is wrong enough as it is. */
const SUSPECTS = 100

/**
 * Reads one range in one statement. Where every row is right, which is the rule, a few aggregates are enough: the
 * counts of the types lie side by side in a sum. Else the range is read again, group by group, with the keys of wrong rows.
 */
export async function readRange(sql: Sql, reading: Reading, range: Range, suspects: number): Promise<RangeRead> {
  const quick = quickReading(reading, range)
  const row = onlyRow(await sql.unsafe<Quick[]>(quick.statement, quick.values, { prepare: true }))
  if (row.wrong === 0) return { groups: rightGroups(reading.rollout, row), checksum: row.checksum ?? '0', suspects: [] }
  const exact = exactReading(reading, range, Math.min(SUSPECTS, suspects))
  return onlyRow(await sql.unsafe<RangeRead[]>(exact.statement, exact.values, { prepare: true }))
}

interface Quick {
  readonly rows: number
  readonly wrong: number
  readonly checksum: string | null
  readonly sums: (string | null)[]
}

interface Statement {
  readonly statement: string
  readonly values: string[]
}

export function quickReading({ rollout, walked, table }: Reading, range: Range): Statement {
  const { condition, values } = inRange(walked, range, 1)
  const held = `t.${rollout.discriminator.sql}`
  const codes = slots(rollout).map((types) => {
    const code = (type: string): string => `${types.includes(type) ? 1n << (BITS * BigInt(types.indexOf(type))) : 0n}`
    return `sum(${rollout.choose('t', rollout.types.map(code), '0')})::text`
  })
  const statement = `select count(*)::int as rows, count(*) filter (where ${held} is distinct from ${rollout.derive('t')})::int as wrong,
      bit_xor(${rowHash(rollout, table, 't')})::text as checksum, jsonb_build_array(${codes.join(', ')}) as sums
    from ${walked.table.sql} as t where ${condition}`
  return { statement: ours(statement), values }
}

/** Types by the sum that counts them. The last one is what is left, where every row has a type. */
function slots(rollout: Rollout): string[][] {
  const counted = rollout.mayBeUnmapped ? rollout.types : rollout.types.slice(0, -1)
  return Array.from({ length: Math.ceil(counted.length / SLOTS) }, (_, i) => counted.slice(i * SLOTS, (i + 1) * SLOTS))
}

function rightGroups(rollout: Rollout, { rows, sums }: Quick): Group[] {
  const counts = slots(rollout).flatMap((types, i) =>
    types.map((type, n) => ({ type, rows: Number((BigInt(sums[i] ?? 0) >> (BITS * BigInt(n))) & MASK) })),
  )
  const left = rows - counts.reduce((sum, one) => sum + one.rows, 0)
  const rest = { type: rollout.mayBeUnmapped ? null : rollout.types.at(-1)!, rows: left }
  return [...counts, rest]
    .filter((one) => one.rows > 0)
    .map((one) => ({ actual: one.type, expected: one.type, rows: one.rows }))
}

function exactReading({ rollout, walked, table, keepsTypes }: Reading, range: Range, suspects: number): Statement {
  const { condition, values } = inRange(walked, range, 1)
  const held = `t.${rollout.discriminator.sql}`
  const derived = rollout.derive('t')
  const hash = rowHash(rollout, table, 't')
  const known = rollout.types.map((name) => `${literal(name)}::${rollout.discriminator.dataType}`).join(', ')
  const kept = keepsTypes ? `and (${held} in (${known})) is not true` : ''
  const from = `from ${walked.table.sql} as t where ${condition}`
  const statement = `select
    (select coalesce(jsonb_agg(g), '[]') from (
      select ${held}::text as actual, (${derived})::text as expected, count(*)::int as rows ${from} group by 1, 2) g) as groups,
    (select coalesce(bit_xor(case when ${held} is distinct from ${derived}
      then hashtextextended(coalesce(${held}::text, ''), ${hash}) else ${hash} end), 0)::text ${from}) as checksum,
    (select coalesce(jsonb_agg(s), '[]') from (
      select ${keyAsJson(walked.key, 't')} as key, t.xmin::text as xmin, t.ctid::text as ctid, t.tableoid::int8 as relation,
        ${held}::text as actual, (${derived})::text as expected
      ${from} and ${held} is distinct from ${derived} ${kept} limit ${suspects}) s) as suspects`
  return { statement: ours(statement), values }
}
