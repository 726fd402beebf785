import type { Sql } from '../database/connect.ts'
import { onlyRow } from './answer.ts'
import { FIRST_PARAMETER, writeBatch } from './batch.ts'
import type { Change } from './change.ts'
import { BY_PLACE, nextBlock, startOf } from './blocks.ts'
import { failedRow, recordFailedRow, type Blames } from './failedRow.ts'
import { createFeedback } from './feedback.ts'
import type { Gate } from './goOn.ts'
import { keyAsJson } from './keys.ts'
import type { Run } from './kind.ts'
import type { Lane } from './lane.ts'
import { isGone, leavesOf, type Leaf } from './leaves.ts'
import { inRange, nextRange, type Range, type Walked } from './range.ts'
import { walk, type Walk } from './walk.ts'
import { runWorkers } from './workers.ts'

export interface Sweep {
  readonly run: Run
  readonly change: Change
  readonly gate: Gate
  /** The operation's own lane. A sweep does not move it. */
  readonly lane: Lane
  /** A connection for one worker; whoever opened it ends it. */
  connect(): Sql
  workers(): number
  /** Rows of one transaction at most, when somebody gave that. */
  batchSize?(): number | undefined
  readonly retried: Walk['retried']
  /**
   * `heap`: where whoever moves a row meanwhile makes it right by that, under the dual-write trigger. `key`: where
   * nobody does.
   */
  readonly along: 'heap' | 'key'
  readonly blames?: Blames
}

export interface Swept {
  readonly rows: number
  /** Rows that were written or newly recorded as failed. */
  readonly mended: number
  /** The table was rewritten, or got a partition, while it was looked at: rows may have been missed. */
  readonly moved: boolean
}

/** A part of the table that one worker looks at. */
interface Part {
  /** Null: a part of the table along its key. */
  readonly leaf: number | null
  readonly walked: Walked
  readonly from: Range['low']
  readonly to: Range['low']
}

interface Inspected {
  readonly rows: number
  readonly wrong: number
}

const BLOCKS_OF_PART = 2_048
const BLOCKS_OF_RANGE = 128
const ROWS_OF_BATCH = 5_000

/**
 * Looks at every row again and writes the ones that are not right: rows that came between two batches, or by a hand that
 * went past the trigger. Null when it was asked to stop.
 */
export async function sweepOnce(sweep: Sweep): Promise<Swept | null> {
  const { run, change } = sweep
  const { rollout, database } = run
  const before = await leavesOf(database.state, rollout.table.sql)
  const byKey: Part[] = [{ leaf: null, walked: { table: rollout.table, key: change.key }, from: null, to: null }]
  const parts = sweep.along === 'heap' ? before.flatMap(partsOf) : byKey
  let rows = 0
  let mended = 0
  const size = (): number => Math.min(ROWS_OF_BATCH, sweep.batchSize?.() ?? ROWS_OF_BATCH)
  const sweepPart = async (part: Part, sql: Sql, goOnOf: Walk['goOn']): Promise<void> => {
    let low = part.from
    let blocks = BLOCKS_OF_RANGE
    const feedback = createFeedback(size(), size(), 0.1)
    const goOn = async (): Promise<boolean> => {
      feedback.tune(size(), 0.1)
      return await goOnOf()
    }
    const check = async (range: Range, most = Infinity): Promise<Inspected> => {
      const found = await inspect(sql, sweep, part.walked, range)
      await run.reached('sweep.looked')
      if (found.wrong > most) return found
      if (found.wrong > 0) {
        await writeInPlace(sql, sweep, part.walked, range)
        await run.reached('sweep.written')
      }
      // Counted once the write has gone through: a row that cannot be written ends alone in poison().
      rows += found.rows
      mended += found.wrong
      low = range.high
      return found
    }
    /** Where more rows are wrong than a batch may have, the range is cut smaller, down to parts of a block. */
    const checkBlocks = async (range: Range): Promise<'done' | 'again' | 'stopped'> => {
      const most = size()
      const { wrong } = await check(range, most)
      if (wrong <= most) {
        blocks = Math.min(BLOCKS_OF_RANGE, blocks * 2)
        return 'done'
      }
      const cut = nextBlock(range.high) - nextBlock(range.low!)
      blocks = Math.max(1, Math.floor((cut * most) / wrong))
      if (cut > 1) return 'again'
      for (let after = range.low; ;) {
        const piece = await nextRange(sql, part.walked, after, range.high, size())
        if (piece === null) break
        await check(piece)
        after = piece.high
        if (!(await goOn())) return 'stopped'
      }
      low = range.high
      return 'done'
    }
    const finished = await walk({
      sql,
      walked: part.walked,
      from: part.from,
      to: part.to,
      goOn,
      feedback,
      retried: sweep.retried,
      ...(part.walked.key === BY_PLACE ? { next: (after) => nextBlocks(after!, part.to!, blocks) } : {}),
      workAtLength: checkBlocks,
      work: (range) => check(range).then(() => undefined),
      async poison({ range, sqlstate, message }) {
        await recordFailedRow(sql, change, sweep.lane, {
          relation: part.walked.table.sql,
          row: await failedRow(sql, part.walked, range, sweep.blames),
          sqlstate,
          message,
          nextPosition: sweep.lane.position,
          passed: 0,
        })
        rows++
        low = range.high
      },
    })
    if (!finished) parts.unshift({ ...part, from: low })
  }
  const finished = await runWorkers(sweep.workers, async (stays) => {
    const sql = sweep.connect()
    const goOn = sweep.gate.worker()
    try {
      for (;;) {
        if (!stays() || run.asked() !== 'go-on') return parts.length === 0
        const part = parts.shift()
        if (part === undefined) return true
        await sweepPart(part, sql, async () => stays() && (await goOn())).catch(async (error: unknown) => {
          // A partition that was dropped meanwhile; whether there is another one now is looked at in the end.
          if (part.leaf === null || !(await isGone(database.state, rollout.table.sql, part.leaf, error))) throw error
        })
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  })
  if (!finished) return null
  return { rows, mended, moved: differ(before, await leavesOf(database.state, rollout.table.sql)) }
}

function partsOf(leaf: Leaf): Part[] {
  const walked: Walked = { table: leaf, key: BY_PLACE }
  return Array.from({ length: Math.ceil(leaf.blocks / BLOCKS_OF_PART) }, (_, part) => ({
    leaf: leaf.oid,
    walked,
    from: startOf(part * BLOCKS_OF_PART),
    to: startOf(Math.min(leaf.blocks, (part + 1) * BLOCKS_OF_PART)),
  }))
}

function nextBlocks(low: NonNullable<Part['from']>, to: NonNullable<Part['to']>, blocks: number): Range | null {
  const [first, end] = [nextBlock(low), nextBlock(to)]
  return first >= end ? null : { low, high: startOf(Math.min(end, first + blocks)), rows: 2 }
}

function differ(before: readonly Leaf[], after: readonly Leaf[]): boolean {
  const files = (leaves: readonly Leaf[]): string => leaves.map((leaf) => `${leaf.oid} ${leaf.filenode}`).join()
  return files(before) !== files(after)
}

/** Rows, and how many of them are not right: not the derived type, or a row that no type matches and is not recorded. */
async function inspect(sql: Sql, { change }: Sweep, walked: Walked, range: Range): Promise<Inspected> {
  const { condition, values } = inRange(walked, range, 2)
  const unrecorded = `${change.unmapped} and not exists (select from sti.failed_row f
      where f.rollout = $1::text and f.key = ${keyAsJson(change.key, 't')} and f.recovered_at is null)`
  const answer = await sql.unsafe<{ rows: number; wrong: number }[]>(
    `select /* sti */ count(*)::int as rows,
       count(*) filter (where ${change.needed}${change.unmapped === null ? '' : ` or ${unrecorded}`})::int as wrong
     from ${walked.table.sql} as t where ${condition} and $1::text is not null`,
    [change.rollout, ...values],
    { prepare: true },
  )
  return onlyRow(answer)
}

/** Writes the rows of a range without moving a lane. */
async function writeInPlace(sql: Sql, { change, lane }: Sweep, walked: Walked, range: Range): Promise<void> {
  await writeBatch(sql, change, lane, {
    relation: walked.table,
    rows: inRange(walked, range, FIRST_PARAMETER),
    records: 'uncounted',
    nextPosition: lane.position,
    passed: 0,
    flush: true,
  })
}
