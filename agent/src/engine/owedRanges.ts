import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import { classifyError, isLockTimeout } from '../database/errors.ts'
import { observeBlockers } from '../database/lockHolders.ts'
import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from './batch.ts'
import type { BulkUpdateJob } from './bulkUpdateJob.ts'
import { probeHeldRow } from './heldRows.ts'
import { rangeCondition } from './keyRange.ts'
import type { Lane } from './lane.ts'
import { isOfDroppedPartition } from './leafPartitions.ts'
import { createRetryBackoff, type RetryBackoff } from './retryBackoff.ts'
import type { OwedRange } from './sweepPart.ts'

const SHORTEST_DELAY_MS = 100
const LONGEST_DELAY_MS = 1_000

/**
 * Waits for the held rows of a sweep and writes each as soon as it is free, as long as it takes. It keeps no lock while it
 * waits, apart from a probe that queues behind one holder for a moment to learn who it is. False if the operation was asked
 * to stop. Another sweep must follow: a holder may have moved its rows.
 */
export async function writeOwedRanges(job: BulkUpdateJob, lane: Lane, owed: readonly OwedRange[]): Promise<boolean> {
  if (owed.length === 0) {
    job.heldRows.setRemaining(0, [])
    return true
  }
  const sql = job.connect()
  const mayContinue = job.gate.worker()
  const backoff = createRetryBackoff(sql, (sqlstate) => job.hooks.onRetry(sqlstate))
  let [pending, delayMs] = [owed, SHORTEST_DELAY_MS]
  try {
    for (;;) {
      const stillOwed: OwedRange[] = []
      for (const range of pending) {
        if (!(await mayContinue())) return false
        const left = await writeOwedRange({ job, lane, sql, backoff }, range)
        if (left !== null) stillOwed.push(left)
      }
      const rows = stillOwed.reduce((sum, range) => sum + range.rows, 0)
      job.heldRows.setRemaining(
        rows,
        stillOwed.flatMap(({ keys }) => keys),
      )
      if (stillOwed.length === 0) {
        await job.hooks.betweenBatches()
        return true
      }
      await probeFirstRow(job, sql, stillOwed)
      await job.hooks.betweenBatches()
      job.run.setWaiting(true)
      await delay(delayMs)
      delayMs = stillOwed.length < pending.length ? SHORTEST_DELAY_MS : Math.min(LONGEST_DELAY_MS, delayMs * 2)
      pending = stillOwed
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

interface OwedWriter {
  readonly job: BulkUpdateJob
  readonly lane: Lane
  readonly sql: Sql
  readonly backoff: RetryBackoff
}

/** Writes the rows of a range that are free. What is still held; null: nothing, or only what the next sweep handles. */
async function writeOwedRange({ job, lane, sql, backoff }: OwedWriter, owed: OwedRange): Promise<OwedRange | null> {
  const { state } = job.run.database
  const write = () =>
    writeBatch(sql, job.columnUpdate, lane, {
      relation: owed.target.table,
      rows: rangeCondition(owed.target, owed.range, BATCH_ROWS_FIRST_PARAMETER),
      unmappedRecording: 'uncounted',
      nextPosition: lane.position,
      passedRows: 0,
      skipLocked: true,
      flush: true,
    })
  try {
    const { held, heldKeys } = await observeBlockers(state, sql, write, (holders) => job.heldRows.setHolders(holders))
    backoff.reset()
    return held === 0 ? null : { ...owed, rows: held, keys: heldKeys }
  } catch (error) {
    if (await isOfDroppedPartition(job, owed.leafOid, error)) return null
    if (isLockTimeout(error)) return owed
    // The next sweep halves the range until the row that fails is alone.
    if (classifyError(error) === 'row') return null
    await backoff.waitOrThrow(error)
    return owed
  }
}

async function probeFirstRow(job: BulkUpdateJob, sql: Sql, owed: readonly OwedRange[]): Promise<void> {
  const key = owed.find(({ keys }) => keys.length > 0)?.keys[0]
  if (key === undefined) return
  const probed = { table: job.run.rollout.table.sql, columnUpdate: job.columnUpdate }
  await probeHeldRow(job.run.database.state, sql, probed, key, (holders) => job.heldRows.setHolders(holders))
}
