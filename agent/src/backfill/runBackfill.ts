import { BackfillParameters } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { errorCode, classifyError, isConnectionError } from '../database/errors.ts'
import { OperationFailedError, OperationPausedError } from '../kind/operationErrors.ts'
import { createThrottleGate } from '../throttle/throttleGate.ts'
import type { RunOutcome, RunContext } from '../kind/kind.ts'
import { claimOperationLane } from '../engine/lane.ts'
import { readLaneTotals } from '../engine/operationLanes.ts'
import { runBulkUpdate } from '../engine/bulkUpdate.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { Table } from '../rollout/rollout.ts'
import { enforceErrorBudget } from './errorBudget.ts'
import { discriminatorUpdate } from './discriminatorUpdate.ts'
import { createBackfillProgress, type BackfillProgress } from './backfillProgress.ts'
import { backfillRefusals } from './backfillRefusals.ts'
import { retryFailedRows } from './retryFailedRows.ts'
import { sweepOnce, type Sweep } from '../engine/sweep.ts'
import { countOrEstimateRows } from './tableRowCount.ts'
import { createConnector, createParametersReader, createBackfillJob } from './backfillJob.ts'

const MAX_SWEEPS = 5
/** How often the lanes are read while other agents may write some of them. */
const LANE_POLL_INTERVAL_MS = 500

export async function runBackfill(run: RunContext): Promise<RunOutcome> {
  const { database, rollout, operation } = run
  const facts = await run.readFacts()
  const table = requireTable(facts)
  // While it stood paused somebody may have changed a trigger or turned the flag on.
  const refusals = backfillRefusals(facts)
  if (refusals.length > 0) throw new OperationPausedError(refusals.join(' '))
  await run.failpoint('backfill.begun')
  const parameters = createParametersReader(run)
  const connect = createConnector(run)
  try {
    const lane = await claimOperationLane(database.state, operation.id, run.agent)
    const total = operation.progress?.totalRows ?? (await readTotalRows(connect, run, table))
    const progress = createBackfillProgress(
      run,
      await readLaneTotals(database.state, operation.id),
      total,
      parameters().agents > 1,
    )
    const sweep: Sweep = {
      run,
      lane,
      connect,
      onRetry: progress.addRetry,
      columnUpdate: discriminatorUpdate(rollout, table.key),
      gate: createThrottleGate(run, (wait) =>
        progress.setWait(wait === null ? null : `${wait.reason}: ${wait.sentence}`),
      ),
      walkOrder: rollout.file.dualWrite === 'trigger' ? 'heap' : 'key',
      workers: () => parameters().workers,
      batchSize: () => parameters().batchSize,
    }
    progress.report()
    return operation.parameters['failedRowsOnly'] === true
      ? await runRetryOnly(run, sweep)
      : await writeAndSweep(run, sweep, table, progress, parameters)
  } catch (error) {
    await turnFlagOffAfterFailure(run, error)
    throw error
  }
}

async function readTotalRows(connect: () => Sql, { rollout }: RunContext, table: Table): Promise<number> {
  const sql = connect()
  try {
    return await countOrEstimateRows(sql, rollout, table)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function runRetryOnly(run: RunContext, sweep: Sweep): Promise<RunOutcome> {
  run.setStep('trying the failed rows again')
  const remaining = await retryFailedRows(sweep)
  return remaining === null ? { outcome: 'stopped' } : { outcome: 'succeeded', result: { failedRows: remaining } }
}

async function writeAndSweep(
  run: RunContext,
  sweep: Sweep,
  table: Table,
  progress: BackfillProgress,
  parameters: () => BackfillParameters,
): Promise<RunOutcome> {
  if (!(await writeTypes(run, sweep, table, progress, parameters))) return { outcome: 'stopped' }
  run.setStep('sweeping: is anything left?')
  await run.failpoint('sweep.begun')
  const rows = await sweepUntilClean(run, sweep)
  if (rows === null) return { outcome: 'stopped' }
  const failedRows = await retryFailedRows(sweep)
  if (failedRows === null) return { outcome: 'stopped' }
  progress.setFinalCounts(rows, failedRows)
  // Asked again here: an agent that died between a failed row and this question has left it open.
  await enforceErrorBudget(run.database.state, run.rollout, run.operation.id, rows)
  const { written } = await readLaneTotals(run.database.state, run.operation.id)
  const result = { passedRows: rows, writtenRows: written, failedRows, batches: progress.batches }
  return { outcome: 'succeeded', result }
}

/** Writes all lanes, alone or with other agents. False when it was asked to stop. */
async function writeTypes(
  run: RunContext,
  sweep: Sweep,
  table: Table,
  progress: BackfillProgress,
  parameters: () => BackfillParameters,
): Promise<boolean> {
  const { database, rollout, operation } = run
  let knownFailedRows = 0
  let lastPolledAt = performance.now()
  run.setStep('writing types')
  const job = createBackfillJob(run, table, {
    parameters,
    gate: sweep.gate,
    connect: sweep.connect,
    onRetry: progress.addRetry,
    onProgress: progress.addBatch,
    total: () => progress.total,
    decided: (sentence) => run.setStep(`writing types, ${sentence}`),
    async looked() {
      // What other agents write and record is known from the lanes alone.
      if (parameters().agents === 1 || performance.now() - lastPolledAt < LANE_POLL_INTERVAL_MS) return
      lastPolledAt = performance.now()
      const totals = await readLaneTotals(database.state, operation.id)
      progress.setLaneTotals(totals)
      if (totals.failed > knownFailedRows)
        await enforceErrorBudget(database.state, rollout, operation.id, progress.total)
      knownFailedRows = totals.failed
    },
  })
  const finished = await runBulkUpdate(job)
  if (parameters().agents > 1) progress.setLaneTotals(await readLaneTotals(database.state, operation.id))
  return finished
}

/** Sweeps until nothing is left but recorded failed rows. Answers how many rows there are, or null when stopped. */
async function sweepUntilClean(run: RunContext, sweep: Sweep): Promise<number | null> {
  for (let attempt = 0; ; attempt++) {
    const result = await sweepOnce(sweep)
    if (result === null) return null
    if (result.fixedRows === 0 && !result.tableChanged) return result.rows
    if (result.fixedRows > 0) {
      await run.recordEvent('sweep', `${result.fixedRows} rows were not right and have been written or recorded`)
      await run.failpoint('sweep.told')
    }
    if (attempt === MAX_SWEEPS) {
      throw new OperationFailedError(
        'sweep',
        result.tableChanged
          ? 'The table is rewritten (VACUUM FULL, CLUSTER) or gets partitions all the time: start the backfill again once that has ended.'
          : 'Rows keep coming in wrong. Something writes past the dual-write trigger: run a validation and look at its trigger check.',
      )
    }
  }
}

/** `--rollback-on-error`: when the backfill fails for good, the flag goes off if it was on. */
async function turnFlagOffAfterFailure(run: RunContext, error: unknown): Promise<void> {
  if (BackfillParameters.parse(run.parameters()).rollbackOnError === false) return
  const canResume =
    isConnectionError(error) ||
    classifyError(error) !== 'permanent' ||
    ['fence-lost', 'trouble'].includes(errorCode(error) ?? '')
  if (canResume || !(await run.readFacts()).flag.enabled) return
  await run.turnFlagOff(`backfill ${run.operation.id} failed`)
}
