import { createLockWaitReporter } from '../../engine/lockWaitReporter.ts'
import { hasReverseSync } from '../../dualWrite/verifyTrigger.ts'
import type { RunContext } from '../../kind/kind.ts'
import { createSingleWorkerGate } from '../../throttle/throttleGate.ts'
import { createThroughputMeter } from '../../engine/throughput.ts'
import { rowProgress } from '../../engine/rowProgress.ts'
import type { Key } from '../../engine/keys.ts'
import type { Table } from '../../rollout/rollout.ts'
import { saveScanCheckpoint, type ScanCheckpoint } from './checkpoint.ts'
import type { ScanTarget } from './readRange.ts'
import { ReplicaUnavailable, scanRanges, summarizeScan, type TableScan } from './scanRanges.ts'
import { recheckSuspects } from './recheckSuspects.ts'
import { openReadConnection } from './readConnection.ts'

const READING_STEP = 'reading every row'
/** After a crash, at most this much of the scan is repeated. */
const SAVE_INTERVAL_MS = 2_000

/** Reads the table once, starting at `checkpoint`. Null: stopped on request, with the progress saved. */
export async function scanTable(run: RunContext, table: Table, checkpoint: ScanCheckpoint): Promise<TableScan | null> {
  const { rollout } = run
  const hasKeptTypes =
    rollout.typesWithoutRestore.length > 0 && (await hasReverseSync(run.database.state, rollout, table))
  const keptTypes = hasKeptTypes ? rollout.typesWithoutRestore : []
  const target: ScanTarget = { rollout, table, walked: { table: rollout.table, key: table.key }, keptTypes }
  const { tally } = checkpoint
  const mayContinue = createSingleWorkerGate(run, READING_STEP)
  const report = createProgressReport(run, table, tally.rows)
  let lastPosition: Key | null = checkpoint.position
  let savedAt = performance.now()
  const save = async (finished: boolean): Promise<void> => {
    await saveScanCheckpoint(run, { ...checkpoint, position: lastPosition, finished })
    savedAt = performance.now()
    await run.failpoint('validation.read')
  }
  const read = async (useReplica: boolean): Promise<boolean | 'primary'> => {
    const connection = await openReadConnection(run, useReplica)
    try {
      const { sql, replica } = connection
      const job = {
        sql,
        reading: target,
        from: lastPosition,
        tally,
        replica,
        // The sessions of a replica are not in the primary's catalog.
        lockWaits: replica ? null : createLockWaitReporter(run, 'reading the table'),
        passed: report.passed,
        retried: report.retried,
      }
      usedReplica ||= replica
      return await scanRanges({
        ...job,
        async mayContinue(position) {
          lastPosition = position
          if (!(await mayContinue())) {
            await save(false)
            return false
          }
          if (performance.now() - savedAt >= SAVE_INTERVAL_MS) await save(false)
          return true
        },
      })
    } catch (error) {
      if (!(error instanceof ReplicaUnavailable)) throw error
      await run.recordEvent('validation', 'the replica is unavailable or cancels statements: continues on the primary')
      return 'primary'
    } finally {
      await connection.sql.end({ timeout: 1 })
    }
  }
  let usedReplica = false
  if (!checkpoint.finished) {
    const replicaResult = await read(true)
    const completed = replicaResult === 'primary' ? await read(false) : replicaResult
    if (completed !== true) return null
    await save(true)
  }
  const primary = await openReadConnection(run, false)
  try {
    // The recheck changes the sums, which must not be saved as the state of the scan.
    const recheckedTally = structuredClone(tally)
    const discrepancies = await recheckSuspects(primary.sql, target, recheckedTally, mayContinue)
    if (discrepancies === null) return null
    report.done(recheckedTally.rows)
    return summarizeScan(target, recheckedTally, discrepancies, usedReplica)
  } finally {
    await primary.sql.end({ timeout: 1 })
  }
}

function createProgressReport(run: RunContext, table: Table, initialRows: number) {
  const rate = createThroughputMeter()
  const retries: Record<string, number> = {}
  let rows = initialRows
  const publish = (estimated: number | null): void =>
    run.reportProgress(rowProgress({ passed: rows, estimated, perSecond: rate.perSecond(), retries }))
  return {
    passed(newRows: number) {
      rows += newRows
      rate.add(newRows)
      publish(table.estimatedRows)
    },
    retried(sqlstate: string) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    done(total: number) {
      rows = total
      publish(total)
    },
  }
}
