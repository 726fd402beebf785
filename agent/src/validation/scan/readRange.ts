import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { keyAsJson, type Key } from '../../engine/keys.ts'
import { tagStatement } from '../../database/tagStatement.ts'
import { rangeCondition, type KeyRange, type KeyedTable } from '../../engine/keyRange.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import { restoreDiffersSql } from '../../rollout/contentLoss.ts'
import { rowHashSql } from './rowHash.ts'

/** Rows of a range, grouped by their type and the type implied by their legacy columns. */
export interface TypeGroup {
  readonly actual: string | null
  readonly expected: string | null
  readonly rows: number
}

/** A row that was wrong when it was read, with its row version. */
export interface SuspectRow {
  readonly key: Key
  readonly xmin: string
  readonly ctid: string
  readonly relation: number
  readonly actual: string | null
  readonly expected: string | null
}

export interface RangeResult {
  readonly groups: readonly TypeGroup[]
  /** A signed decimal number. */
  readonly checksum: string
  /** Rows with a legacy value that `restore` of their type would replace. */
  readonly beyondRestore: number
  readonly suspects: readonly SuspectRow[]
}

/** The properties of the table and the rollout file that determine how ranges are read. */
export interface ScanTarget {
  readonly rollout: Rollout
  readonly walked: KeyedTable
  readonly table: Table
  /** Types that are kept regardless of the legacy columns, since new code may have written them (`restore: none`, after finalize). */
  readonly keptTypes: readonly string[]
}

/** The type does not match the legacy columns, and new code may not have written it. */
export function isDiscrepancy(target: ScanTarget, cell: Pick<TypeGroup, 'actual' | 'expected'>): boolean {
  const isKeptType = cell.actual !== null && target.keptTypes.includes(cell.actual)
  return cell.actual !== cell.expected && !isKeptType
}

/** Two counts share one sum: an int4 code has 31 bits, its sum 63. An int8 code would take 20% longer. */
const COUNT_BITS = 30n
const TYPES_PER_SUM = 2
const COUNT_MASK = (1n << COUNT_BITS) - 1n
export const MAX_RANGE_ROWS = 1 << 21
/** The maximum number of rows per range that are rechecked. */
const MAX_SUSPECTS_PER_RANGE = 100

/**
 * Reads one range in one statement. If every row is correct, which is the common case, a few aggregates suffice: each sum
 * packs the counts of two types. Otherwise reads the range again, grouped by type, with the keys of wrong rows.
 */
export async function readRange(sql: Sql, target: ScanTarget, range: KeyRange, suspects: number): Promise<RangeResult> {
  const quick = buildQuickStatement(target, range)
  const row = onlyRow(await sql.unsafe<QuickRangeRow[]>(quick.statement, quick.values, { prepare: true }))
  if (row.wrong === 0) {
    const { checksum, beyondRestore } = row
    return { groups: unpackGroups(target.rollout, row), checksum: checksum ?? '0', beyondRestore, suspects: [] }
  }
  const exact = buildExactStatement(target, range, Math.min(MAX_SUSPECTS_PER_RANGE, suspects))
  return onlyRow(await sql.unsafe<RangeResult[]>(exact.statement, exact.values, { prepare: true }))
}

interface QuickRangeRow {
  readonly rows: number
  readonly wrong: number
  readonly checksum: string | null
  readonly beyondRestore: number
  readonly sums: (string | null)[]
}

interface RangeStatement {
  readonly statement: string
  readonly values: string[]
}

export function buildQuickStatement({ rollout, walked, table }: ScanTarget, range: KeyRange): RangeStatement {
  const { condition, values } = rangeCondition(walked, range, 1)
  const typeColumn = `t.${rollout.discriminator.sql}`
  const codes = splitTypesBySum(rollout).map((types) => {
    const code = (type: string): string =>
      `${types.includes(type) ? 1n << (COUNT_BITS * BigInt(types.indexOf(type))) : 0n}`
    return `sum(${rollout.caseByType('t', rollout.types.map(code), '0')})::text`
  })
  const statement = `select count(*)::int as rows, count(*) filter (where ${typeColumn} is distinct from ${rollout.derive('t')})::int as wrong,
      bit_xor(${rowHashSql(rollout, table, 't')})::text as checksum, ${countBeyondRestore(rollout, table)} as "beyondRestore", jsonb_build_array(${codes.join(', ')}) as sums
    from ${walked.table.sql} as t where ${condition}`
  return { statement: tagStatement(statement), values }
}

const countBeyondRestore = (rollout: Rollout, table: Table): string =>
  `(count(*) filter (where ${restoreDiffersSql(rollout, table)}))::int`

/** The types that each sum counts. The last type needs no count if every row has a type: it is the rest. */
function splitTypesBySum(rollout: Rollout): string[][] {
  const counted = rollout.mayBeUnmapped ? rollout.types : rollout.types.slice(0, -1)
  return Array.from({ length: Math.ceil(counted.length / TYPES_PER_SUM) }, (_, i) =>
    counted.slice(i * TYPES_PER_SUM, (i + 1) * TYPES_PER_SUM),
  )
}

function unpackGroups(rollout: Rollout, { rows, sums }: QuickRangeRow): TypeGroup[] {
  const counts = splitTypesBySum(rollout).flatMap((types, i) =>
    types.map((type, n) => ({ type, rows: Number((BigInt(sums[i] ?? 0) >> (COUNT_BITS * BigInt(n))) & COUNT_MASK) })),
  )
  const remainder = rows - counts.reduce((sum, count) => sum + count.rows, 0)
  const rest = { type: rollout.mayBeUnmapped ? null : rollout.types.at(-1)!, rows: remainder }
  return [...counts, rest]
    .filter((count) => count.rows > 0)
    .map((count) => ({ actual: count.type, expected: count.type, rows: count.rows }))
}

function buildExactStatement(
  { rollout, walked, table, keptTypes }: ScanTarget,
  range: KeyRange,
  suspects: number,
): RangeStatement {
  const { condition, values } = rangeCondition(walked, range, 1)
  const typeColumn = `t.${rollout.discriminator.sql}`
  const derivedType = rollout.derive('t')
  const hash = rowHashSql(rollout, table, 't')
  const keptList = keptTypes.map((name) => `${quoteLiteral(name)}::${rollout.discriminator.dataType}`).join(', ')
  const keptTypeFilter = keptTypes.length > 0 ? `and (${typeColumn} in (${keptList})) is not true` : ''
  const from = `from ${walked.table.sql} as t where ${condition}`
  const statement = `select
    (select coalesce(jsonb_agg(g), '[]') from (
      select ${typeColumn}::text as actual, (${derivedType})::text as expected, count(*)::int as rows ${from} group by 1, 2) g) as groups,
    (select coalesce(bit_xor(case when ${typeColumn} is distinct from ${derivedType}
      then hashtextextended(coalesce(${typeColumn}::text, ''), ${hash}) else ${hash} end), 0)::text ${from}) as checksum,
    (select ${countBeyondRestore(rollout, table)} ${from}) as "beyondRestore",
    (select coalesce(jsonb_agg(s), '[]') from (
      select ${keyAsJson(walked.key, 't')} as key, t.xmin::text as xmin, t.ctid::text as ctid, t.tableoid::int8 as relation,
        ${typeColumn}::text as actual, (${derivedType})::text as expected
      ${from} and ${typeColumn} is distinct from ${derivedType} ${keptTypeFilter} limit ${suspects}) s) as suspects`
  return { statement: tagStatement(statement), values }
}
