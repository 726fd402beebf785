import { BackfillParameters } from '../contract/index.ts'
import { classifyError, errorCode, isConnectionError } from '../database/errors.ts'
import { runBulkUpdate, helpBulkUpdate } from '../engine/bulkUpdate.ts'
import type { BulkUpdateJob } from '../engine/bulkUpdateJob.ts'
import { claimOperationLane, type Lane } from '../engine/lane.ts'
import { readLaneTotals } from '../engine/operationLanes.ts'
import { sweepOnce } from '../engine/sweep.ts'
import { formatQuantity } from '../format/format.ts'
import type { RunContext, RunOutcome } from '../kind/kind.ts'
import { OperationFailedError, OperationPausedError } from '../kind/operationErrors.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Table } from '../rollout/rollout.ts'
import { createHolderHooks, createHelperHooks } from './backfillHooks.ts'
import { createBackfillJob, createConnector } from './backfillJob.ts'
import { createBackfillProgress, type BackfillProgress } from './backfillProgress.ts'
import { backfillRefusals } from './backfillRefusals.ts'
import { enforceErrorBudget } from './errorBudget.ts'
import { retryFailedRows } from './retryFailedRows.ts'
import { countOrEstimateRows } from './tableRowCount.ts'

const MAX_SWEEPS = 5

export async function runBackfill(run: RunContext): Promise<RunOutcome> {
  const { database, operation } = run
  const facts = await run.readFacts()
  const table = requireTable(facts)
  // A trigger or the flag may have been changed while the backfill was paused.
  const refusals = backfillRefusals(facts)
  if (refusals.length > 0) throw new OperationPausedError(refusals.join(' '))
  await run.failpoint('backfill.begun')
  try {
    const lane = await claimOperationLane(database.state, operation.id, run.agent)
    const progress = await startProgress(run, table)
    const job = createBackfillJob(run, table, createHolderHooks(run, progress))
    progress.report()
    return operation.parameters['failedRowsOnly'] === true
      ? await retryOnly(job, lane)
      : await writeAndSweep(job, lane, progress)
  } catch (error) {
    await turnFlagOffAfterFailure(run, error)
    throw error
  }
}

async function startProgress(run: RunContext, table: Table): Promise<BackfillProgress> {
  const { database, operation } = run
  const totalRows = operation.progress?.totalRows ?? (await readTotalRows(run, table))
  const laneTotals = await readLaneTotals(database.state, operation.id)
  const { agents } = BackfillParameters.parse(run.parameters())
  return createBackfillProgress(run, laneTotals, totalRows, agents > 1)
}

async function readTotalRows(run: RunContext, table: Table): Promise<number> {
  const sql = createConnector(run, table)()
  try {
    return await countOrEstimateRows(sql, run.rollout, table)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function retryOnly(job: BulkUpdateJob, lane: Lane): Promise<RunOutcome> {
  job.run.setStep('retrying failed rows')
  const failedRows = await retryFailedRows(job, lane)
  return failedRows === null ? { outcome: 'stopped' } : { outcome: 'succeeded', result: { failedRows } }
}

async function writeAndSweep(job: BulkUpdateJob, lane: Lane, progress: BackfillProgress): Promise<RunOutcome> {
  const { run } = job
  const { database, operation } = run
  run.setStep('writing types')
  const finished = await runBulkUpdate(job)
  const { agents } = BackfillParameters.parse(run.parameters())
  if (agents > 1) progress.setLaneTotals(await readLaneTotals(database.state, operation.id))
  if (!finished) return { outcome: 'stopped' }
  run.setStep('sweeping: looking for rows that are not right')
  await run.failpoint('sweep.begun')
  const rows = await sweepUntilClean(job, lane)
  if (rows === null) return { outcome: 'stopped' }
  const failedRows = await retryFailedRows(job, lane)
  if (failedRows === null) return { outcome: 'stopped' }
  progress.setFinalCounts(rows, failedRows)
  // Checked again: an agent may have died after it recorded a failed row and before it checked the budget.
  await enforceErrorBudget(run, rows)
  const { written } = await readLaneTotals(database.state, operation.id)
  const result = { passedRows: rows, writtenRows: written, failedRows, batches: progress.batches }
  return { outcome: 'succeeded', result }
}

/** Sweeps until only recorded failed rows are left. Returns the number of rows in the table, or null if stopped. */
async function sweepUntilClean(job: BulkUpdateJob, lane: Lane): Promise<number | null> {
  const { run } = job
  for (let attempt = 0; ; attempt++) {
    const result = await sweepOnce(job, lane)
    if (result === null) return null
    if (result.fixedRows === 0 && !result.tableChanged) return result.rows
    if (result.fixedRows > 0) {
      await run.recordEvent('sweep', `The sweep wrote or recorded ${formatQuantity(result.fixedRows, 'row')}`)
      await run.failpoint('sweep.told')
    }
    if (attempt === MAX_SWEEPS) {
      throw new OperationFailedError(
        'sweep',
        result.tableChanged
          ? 'The table keeps being rewritten (VACUUM FULL, CLUSTER) or keeps getting partitions. Start the backfill again once that has ended.'
          : 'The sweep keeps finding rows that are not right: something writes around the dual-write trigger. Run a validation and read its trigger check.',
      )
    }
  }
}

/** `--rollback-on-error`: turns the flag off if the backfill fails for good. */
async function turnFlagOffAfterFailure(run: RunContext, error: unknown): Promise<void> {
  if (BackfillParameters.parse(run.parameters()).rollbackOnError === false) return
  const canResume =
    isConnectionError(error) ||
    classifyError(error) !== 'permanent' ||
    ['fence-lost', 'trouble'].includes(errorCode(error) ?? '')
  if (canResume || !(await run.readFacts()).flag.enabled) return
  await run.turnFlagOff(`backfill ${run.operation.id} failed`)
}

/** Writes lanes of a backfill that another agent holds. The holder sweeps, counts, and ends the backfill. */
export async function runBackfillHelper(run: RunContext): Promise<void> {
  const facts = await run.readFacts()
  const table = requireTable(facts)
  if (backfillRefusals(facts).length > 0) return
  let writtenRows = 0
  const job = createBackfillJob(
    run,
    table,
    createHelperHooks(run, (rows) => (writtenRows += rows)),
  )
  await run.recordEvent('help', `${run.agent} helps with ${formatQuantity(job.tuning().workers, 'worker')}`)
  try {
    await helpBulkUpdate(job)
  } finally {
    await run.recordEvent('help', `${run.agent} helped: ${formatQuantity(writtenRows, 'row')} written`)
  }
}
