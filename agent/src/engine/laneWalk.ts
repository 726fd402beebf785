import type { Sql } from '../database/connect.ts'
import { onlyRow } from './answer.ts'
import { batchParameters, batchStatement, FIRST_PARAMETER, writeBatch, type Batch, type Written } from './batch.ts'
import { BY_PLACE, nextBlock, startOf, WIDE_LINE } from './blocks.ts'
import { codeOf } from './errors.ts'
import { failedRow, recordFailedRow } from './failedRow.ts'
import type { Key } from './keys.ts'
import type { Lane } from './lane.ts'
import type { Leaf } from './leaves.ts'
import { demandPlan } from './plan.ts'
import { inRange, type Range, type Walked } from './range.ts'
import type { Rewrite, Shared } from './job.ts'
import { LAST_LINE, rowsOfLargest, stripesOf, type Page } from './stripes.ts'
import { walk } from './walk.ts'

/** Pages of a range at most: it is read once for each stripe, and should still be in the caches then. */
const MOST_BLOCKS = 4_096

/** Rows of a batch that are worth a commit. */
const LEAST_ROWS = 250

interface Step extends Written {
  readonly seconds: number
}

/** Walks a lane to its end. False when it was asked to stop. */
export async function walkLane(
  job: Rewrite,
  { feedback, climb, striping, planned }: Shared,
  leaf: Leaf,
  claimed: Lane,
  sql: Sql,
  goOn: () => Promise<boolean>,
): Promise<boolean> {
  const { run, change } = job
  const walked: Walked = { table: leaf, key: BY_PLACE }
  let lane = claimed
  let batches = 0
  /** A page as the last range had them; of one that was never looked at all rows may have to be written. */
  let page: Page = { rows: leaf.rowsPerBlock, lines: leaf.rowsPerBlock }
  const size = (): number => Math.min(feedback.size(), climb?.size() ?? Infinity)
  const counters = createHotCounters()

  /** A range is left to be cut anew: its rows will be passed again. */
  const forget = (): void => {
    if (lane.striped === null) return
    job.passed({ passed: -lane.striped.written, written: 0, failed: 0 })
    lane = { ...lane, striped: null }
  }
  // Its stripes fit the pages as they were: VACUUM FULL has moved every row.
  if (lane.striped?.filenode !== leaf.filenode) forget()
  const tell = (step: Step, passed: number): void =>
    job.passed({
      passed,
      written: step.written,
      failed: step.unmapped,
      batch: { rows: step.written, seconds: step.seconds },
    })

  /** Looked at once for a partition, with the first range of which there is more than one. */
  const demandPlanOnce = async (range: Range): Promise<void> => {
    if (planned.has(leaf.oid)) return
    planned.add(leaf.oid)
    const part = (nextBlock(range.high) - nextBlock(range.low!)) / Math.max(1, leaf.blocks)
    const batch: Batch = {
      relation: leaf,
      rows: inRange(walked, range, FIRST_PARAMETER),
      upToLine: LAST_LINE,
      records: 'no',
      nextPosition: lane.position,
      passed: 0,
      flush: false,
    }
    const [statement, values] = [batchStatement(change, batch), batchParameters(change, lane, batch)]
    await demandPlan(sql, { table: leaf, statement, values, by: BY_PLACE, part })
  }

  const write = async (
    range: Range,
    after: Pick<Batch, 'nextPosition' | 'striped' | 'upToLine' | 'wideLines' | 'passed' | 'records'>,
  ) => {
    await run.reached(job.points.batch)
    const started = performance.now()
    const result = await writeBatch(sql, change, lane, {
      relation: leaf,
      rows: inRange(walked, range, FIRST_PARAMETER),
      ...after,
      flush: ++batches % job.pace().checkpointInterval === 0,
    })
    const seconds = (performance.now() - started) / 1000
    await run.reached(job.points.written)
    const striped = after.striped ? { ...after.striped, written: after.striped.written + result.written } : null
    lane = { ...lane, position: after.nextPosition, striped }
    run.batch(seconds, result.written)
    if (result.unmapped > 0) job.failed(`${result.unmapped} rows failed: no type of the rollout file matches them`)
    return { ...result, seconds, ...counters.since(result) }
  }

  return await walk({
    sql,
    walked,
    from: lane.position,
    to: lane.high,
    feedback,
    goOn,
    retried: job.retried,
    next(low) {
      if (lane.striped !== null) return { low, high: lane.striped.high, rows: Math.max(2, lane.striped.rows) }
      const [first, end] = [nextBlock(low!), nextBlock(lane.high!)]
      if (first >= end) return null
      const share = striping.firstShare(page.rows)
      const wanted = (size() * (share < 1 ? partsOf(job.pace().workers) : 1)) / rowsOfLargest(page, share)
      const ranges = Math.ceil((end - first) / Math.min(MOST_BLOCKS, Math.max(1, Math.floor(wanted))))
      const blocks = Math.ceil((end - first) / ranges)
      return { low, high: startOf(first + blocks), rows: Math.max(2, Math.round(page.rows * blocks)) }
    },
    async workAtLength(range) {
      const blocks = nextBlock(range.high) - nextBlock(range.low!)
      const most = job.pace().batchSize ?? 2 * size()
      let striped = lane.striped
      /** Null: begun before, so that what it costs from here on says little. */
      let inStripes: boolean | null = null
      if (striped === null) {
        const seen = await look(sql, job, leaf, range)
        page = { rows: seen.needed / blocks, lines: seen.line }
        // What is left of a lane may be small: a commit for a handful of rows costs more than it spares.
        const share = striping.firstShare(page.rows)
        inStripes = share < 1 && seen.needed > 2 * Math.min(size(), LEAST_ROWS)
        const parts = inStripes ? Math.min(blocks, partsOf(job.pace().workers)) : 1
        const mostLines = Math.floor(most / Math.ceil(blocks / parts))
        striped = {
          high: range.high,
          stripes: stripesOf(page, Math.max(1, mostLines), inStripes ? share : 1),
          parts,
          done: 0,
          rows: seen.rows,
          written: 0,
          most,
          filenode: leaf.filenode,
        }
      }
      let seconds = 0
      const all = { updates: 0, hotUpdates: 0 }
      const first = { updates: 0, hotUpdates: 0 }
      const [batches, asked] = [striped.stripes.length * striped.parts, size()]
      for (; striped.done < batches; striped = { ...striped, done: striped.done + 1 }) {
        if (striped.done > 0 && !(await goOn())) return 'stopped'
        // Somebody asked for smaller batches.
        if ((job.pace().batchSize ?? striped.most) < striped.most) {
          forget()
          return 'again'
        }
        const last = striped.done === batches - 1
        const stripe = Math.floor(striped.done / striped.parts)
        const started = performance.now()
        await demandPlanOnce(partOf(range, 0, striped.parts))
        const step: Step = await write(partOf(range, striped.done % striped.parts, striped.parts), {
          ...(striped.stripes.length > 1 ? { upToLine: striped.stripes[stripe]! } : {}),
          wideLines: striped.stripes.at(-1)! > LAST_LINE,
          nextPosition: last ? range.high : lane.position,
          striped: last ? null : { ...striped, done: striped.done + 1 },
          passed: last ? striped.rows : 0,
          // Of the whole part, once: with its last stripe.
          records: stripe === striped.stripes.length - 1 ? 'counted' : 'no',
        }).catch((error: unknown) => {
          if (codeOf(error) === '57014') feedback.observe(size(), (performance.now() - started) / 1000)
          throw error
        })
        feedback.observe(step.written, step.seconds)
        // What is written has been passed; what was right before is passed with the range.
        tell(step, last ? Math.max(0, striped.rows - striped.written) : step.written)
        striped = { ...striped, written: striped.written + step.written }
        seconds += step.seconds
        for (const sum of stripe === 0 ? [all, first] : [all]) {
          sum.updates += step.updates
          sum.hotUpdates += step.hotUpdates
        }
      }
      if (inStripes !== null) {
        // A plain range can have more than one batch, too, when a page has more rows than a batch may have.
        const hot = { hotRatio: hotRatioOf(all), firstHotRatio: hotRatioOf(first) }
        striping.observe({ striped: inStripes, written: striped.written, seconds, ...hot })
        climb?.observe(asked, striped.written, seconds)
      }
      return 'done'
    },
    async work(range) {
      forget()
      tell(await write(range, { nextPosition: range.high, passed: range.rows, records: 'counted' }), range.rows)
    },
    async poison({ range, sqlstate, message }) {
      const key = await recordFailedRow(sql, change, lane, {
        relation: leaf.sql,
        row: await failedRow(sql, walked, range, job.blames),
        sqlstate,
        message,
        nextPosition: range.high,
        passed: 1,
      })
      await run.reached(job.points.poison)
      forget()
      lane = { ...lane, position: range.high, striped: null }
      job.passed({ passed: 1, written: 0, failed: key === null ? 0 : 1 })
      if (key !== null) job.failed(`row ${key.join(', ')} failed: ${message} (${sqlstate})`)
    },
  })
}

/**
 * Another worker's batch may have begun before the last stripe of a page was committed, and keeps its dead rows until it
 * ends. So a page rests for as many batches as others may be at.
 */
function partsOf(workers: number): number {
  return workers === 1 ? 1 : Math.min(4, workers + 1)
}

function partOf(range: Range, part: number, parts: number): Range {
  const [first, end] = [nextBlock(range.low!), nextBlock(range.high)]
  const bound = (n: number): Key => startOf(first + Math.floor(((end - first) * n) / parts))
  return {
    ...range,
    low: part === 0 ? range.low : bound(part),
    high: part === parts - 1 ? range.high : bound(part + 1),
  }
}

/** How many rows a range has, how many need the change, and the last line pointer of those. Prunes its pages by the way. */
async function look(
  sql: Sql,
  { change }: Rewrite,
  leaf: Leaf,
  range: Range,
): Promise<{ rows: number; needed: number; line: number }> {
  const { condition, values } = inRange({ table: leaf, key: BY_PLACE }, range, 1)
  const answer = await sql.unsafe<{ rows: number; needed: number; line: number }[]>(
    `select /* sti */ count(*)::int as rows, count(*) filter (where ${change.needed})::int as needed,
       coalesce(max(${WIDE_LINE}) filter (where ${change.needed}), 1)::int as line
     from ${leaf.sql} as t where ${condition}`,
    values,
    { prepare: true },
  )
  return onlyRow(answer)
}

function hotRatioOf({ updates, hotUpdates }: { updates: number; hotUpdates: number }): number | null {
  return updates === 0 ? null : hotUpdates / updates
}

interface HotCounters {
  since(now: { updates: number; hotUpdates: number }): { updates: number; hotUpdates: number }
}

/** The connection's counters grow until its statistics are sent, then they begin anew. */
function createHotCounters(): HotCounters {
  let last = { updates: 0, hotUpdates: 0 }
  return {
    since({ updates, hotUpdates }) {
      const grown = updates >= last.updates && hotUpdates >= last.hotUpdates
      const since = grown
        ? { updates: updates - last.updates, hotUpdates: hotUpdates - last.hotUpdates }
        : { updates, hotUpdates }
      last = { updates, hotUpdates }
      return since
    },
  }
}
