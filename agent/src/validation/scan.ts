import type { ConfusionCell } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { createFeedback } from '../engine/feedback.ts'
import { keyAsJson, type Key } from '../engine/keys.ts'
import { ours } from '../engine/ours.ts'
import { demandPlan } from '../engine/plan.ts'
import { inRange, type Range, type Walked } from '../engine/range.ts'
import { walk } from '../engine/walk.ts'
import { literal } from '../rollout/names.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface Scan {
  readonly rows: number
  readonly confusion: readonly ConfusionCell[]
  /** Rows whose type is not what their legacy columns say. */
  readonly discrepancies: number
  /** With `restore: none`, rows whose type new code wrote: legacy columns never follow, so they say another one. */
  readonly kept: number
  readonly discrepancyKeys: readonly Key[]
  /** Rows no type matches; a right one holds NULL. */
  readonly unmapped: number
  readonly unknownTypes: number
  /** Rows on which the file's expression itself raises. */
  readonly raising: number
  readonly raisingKeys: readonly Key[]
  /** XOR over a hash of each row's key, type and legacy columns: the order of rows does not matter. */
  readonly checksum: string
  /** The statement of one range. */
  readonly query: string
}

export interface ScanJob {
  readonly sql: Sql
  readonly rollout: Rollout
  readonly walked: Walked
  /** As the statistics say; null: unknown. */
  readonly estimatedRows: number | null
  /** A type that was written alone stays, whatever the legacy columns say (`restore: none`, once finalized). */
  readonly keepsTypes: boolean
  goOn(): Promise<boolean>
  passed(rows: number): void
}

const SAMPLES = 10

/**
 * One pass over the table in key ranges, each one statement with a short snapshot of its own: a long one would keep
 * the backfill's updates from being HOT. Null when it was asked to stop.
 */
export async function scan(job: ScanJob): Promise<Scan | null> {
  const { rollout, walked, sql } = job
  const cells = new Map<string, ConfusionCell>()
  const discrepancyKeys: Key[] = []
  const raisingKeys: Key[] = []
  let checksum = 0n
  let rows = 0
  let raising = 0
  let planned = false
  const known = (type: string | null): boolean => type !== null && rollout.types.includes(type)
  const differs = (cell: Pick<ConfusionCell, 'actual' | 'expected'>): boolean =>
    cell.actual !== cell.expected && !(job.keepsTypes && known(cell.actual))
  const finished = await walk({
    ...{ sql, walked, from: null, to: null },
    feedback: createFeedback(10_000, 100_000, 0.25),
    goOn: () => job.goOn(),
    retried: () => undefined,
    async work(range) {
      if (!planned && range.low !== null) {
        const part = range.rows / Math.max(range.rows, job.estimatedRows ?? Infinity)
        await demandPlan(sql, { table: walked.table, by: walked.key, part, ...readingOf(job, range) })
        planned = true
      }
      const groups = await readRange(job, range)
      // Asked before anything is counted: a range that is tried again must not count twice.
      if (discrepancyKeys.length < SAMPLES && groups.some(differs)) {
        discrepancyKeys.push(...(await sampleKeys(job, range, SAMPLES - discrepancyKeys.length)))
      }
      for (const group of groups) {
        const id = JSON.stringify([group.actual, group.expected])
        const before = cells.get(id)?.rows ?? 0
        cells.set(id, { actual: group.actual, expected: group.expected, rows: before + group.rows })
        checksum ^= BigInt.asUintN(64, BigInt(group.checksum))
        rows += group.rows
      }
      job.passed(groups.reduce((sum, group) => sum + group.rows, 0))
    },
    async poison({ range }) {
      raising++
      rows++
      if (raisingKeys.length < SAMPLES) raisingKeys.push(range.high)
    },
  })
  if (!finished) return null
  const confusion = [...cells.values()].sort((a, b) => b.rows - a.rows)
  const sum = (of: (cell: ConfusionCell) => boolean): number =>
    confusion.filter(of).reduce((total, cell) => total + cell.rows, 0)
  return {
    ...{ rows, confusion, discrepancyKeys, raising, raisingKeys },
    discrepancies: sum(differs),
    kept: sum((cell) => cell.actual !== cell.expected && !differs(cell)),
    unmapped: sum((cell) => cell.expected === null),
    unknownTypes: sum((cell) => cell.actual !== null && !known(cell.actual)),
    checksum: checksum.toString(16).padStart(16, '0'),
    query: readingOf(job, { low: ['…'], high: ['…'], rows: 0 }).statement,
  }
}

/** Rows that hold the type that their legacy columns say, or that new code may have given them. Rows no type matches hold NULL as they should, which is still no type. */
export function rightRows(scan: Scan): number {
  const rightlyNull = scan.confusion.find((cell) => cell.expected === null && cell.actual === null)?.rows ?? 0
  return scan.rows - scan.discrepancies - scan.raising - rightlyNull
}

/** Rows with a correct type / all rows, rounded down; 1 only when equal. */
export function coverageOf(scan: Scan): number {
  const right = rightRows(scan)
  if (scan.rows === right) return 1
  return Math.floor((right * 1_000_000) / scan.rows) / 1_000_000
}

interface Group {
  readonly actual: string | null
  readonly expected: string | null
  readonly rows: number
  readonly checksum: string
}

/** One range, as rows by the type they hold and the one that their legacy columns say. */
function readingOf({ rollout, walked }: ScanJob, range: Range): { statement: string; values: string[] } {
  const { condition, values } = inRange(walked, range, 1)
  const hashed = [
    ...walked.key.map((column) => `t.${column.sql}`),
    ...rollout.legacyColumns.map((name) => `t."${name.replaceAll('"', '""')}"`),
  ]
  const statement = `select coalesce(jsonb_agg(g), '[]') as groups from (
       select t.${rollout.discriminator.sql}::text as actual, (${rollout.derive('t')})::text as expected, count(*)::int as rows,
         bit_xor(hash_record_extended(row(t.${rollout.discriminator.sql}::text, ${hashed.map((column) => `${column}::text`).join(', ')}), 0))::text as checksum
       from ${walked.table.sql} as t where ${condition} group by 1, 2) g`
  return { statement: ours(statement), values }
}

async function readRange(job: ScanJob, range: Range): Promise<Group[]> {
  const { statement, values } = readingOf(job, range)
  return onlyRow(await job.sql.unsafe<{ groups: Group[] }[]>(statement, values, { prepare: true })).groups
}

async function sampleKeys(job: ScanJob, range: Range, limit: number): Promise<Key[]> {
  const { sql, rollout, walked } = job
  const type = `t.${rollout.discriminator.sql}`
  const known = rollout.types.map((name) => `${literal(name)}::${rollout.discriminator.dataType}`).join(', ')
  const { condition, values } = inRange(walked, range, 1)
  const answer = await sql.unsafe<{ keys: Key[] }[]>(
    `select /* sti */ coalesce(jsonb_agg(s.key), '[]') as keys from (
       select ${keyAsJson(walked.key, 't')} as key from ${walked.table.sql} as t
       where ${condition} and ${type} is distinct from ${rollout.derive('t')}
         ${job.keepsTypes ? `and (${type} in (${known})) is not true` : ''} limit ${limit}) s`,
    values,
  )
  return onlyRow(answer).keys
}
