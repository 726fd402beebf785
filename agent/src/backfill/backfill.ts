import { BackfillParameters } from '../contract/index.ts'
import { codeOf, faultOf, isAway, OperationFailure, OperationTrouble } from '../engine/errors.ts'
import { recordFailedRow } from '../engine/failedRow.ts'
import { createFeedback } from '../engine/feedback.ts'
import { createGoOn } from '../engine/goOn.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { takeLane, type Lane } from '../engine/lane.ts'
import { inRange } from '../engine/range.ts'
import { demandTable } from '../engine/table.ts'
import { walk } from '../engine/walk.ts'
import { FIRST_PARAMETER, writeBatch } from './batch.ts'
import { checkBudget } from './budget.ts'
import { createBackfillProgress, type BackfillProgress } from './progress.ts'
import { backfillRefusals } from './refusals.ts'
import { retryFailedRows } from './retry.ts'
import { sweepOnce, type Sweep } from './sweep.ts'
import { rowsOf } from './total.ts'

/** How far feedback may go above the default size when nobody gave one. */
const LARGEST_BATCH = 20_000
const SWEEPS = 5

export async function runBackfill(run: Run): Promise<Outcome> {
  const { database, rollout, operation } = run
  const facts = await run.facts()
  const table = demandTable(facts)
  // While it stood paused somebody may have changed a trigger or turned the flag on.
  const refusals = backfillRefusals(facts)
  if (refusals.length > 0) throw new OperationTrouble(refusals.join(' '))
  const sql = database.engine({
    purpose: `backfill ${operation.id}`,
    searchPath: rollout.searchPath,
    statementTimeoutMs: 20_000,
  })
  try {
    const lane = await takeLane(database.state, operation.id, 0, run.agent)
    const total = operation.progress?.totalRows ?? (await rowsOf(sql, rollout, table))
    const progress = createBackfillProgress(run, lane, total)
    const sweep: Sweep = {
      ...{ sql, state: database.state, lane, retried: progress.retried },
      target: { rollout, walked: { table: rollout.table, key: table.key } },
      goOn: createGoOn(run, (wait) => progress.waits(wait === null ? null : `${wait.reason}: ${wait.sentence}`)),
    }
    progress.report()
    return operation.parameters['failedRowsOnly'] === true ? await retry(run, sweep) : await fill(run, sweep, progress)
  } catch (error) {
    await turnFlagOffAfter(run, error)
    throw error
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function retry(run: Run, sweep: Sweep): Promise<Outcome> {
  run.step('trying the failed rows again')
  const left = await retryFailedRows(sweep)
  return left === null ? { outcome: 'stopped' } : { outcome: 'succeeded', result: { failedRows: left } }
}

async function fill(run: Run, sweep: Sweep, progress: BackfillProgress): Promise<Outcome> {
  const lane = sweep.lane.finished ? sweep.lane : await writeTypes(run, sweep, progress)
  if (lane === null) return { outcome: 'stopped' }
  const still = { ...sweep, lane }
  run.step('sweeping: is anything left?')
  const rows = await sweepClean(run, still)
  if (rows === null) return { outcome: 'stopped' }
  const failedRows = await retryFailedRows(still)
  if (failedRows === null) return { outcome: 'stopped' }
  progress.counted(rows, failedRows)
  const [written] = await run.database.state<{ rows: number }[]>`
    select sum(written_rows)::float8 as rows from sti.lane where operation_id = ${run.operation.id}`
  const result = { passedRows: rows, writtenRows: written!.rows, failedRows, batches: progress.batches }
  return { outcome: 'succeeded', result }
}

/** Walks the lane to its end. Answers the lane as it stands then, or null when it was asked to stop. */
async function writeTypes(run: Run, sweep: Sweep, progress: BackfillProgress): Promise<Lane | null> {
  const { database, rollout, operation } = run
  const { sql, target } = sweep
  const parameters = (): BackfillParameters => BackfillParameters.parse(run.parameters())
  const { batchSize, maximumBatchSeconds } = parameters()
  const feedback = createFeedback(batchSize ?? 1000, batchSize ?? LARGEST_BATCH, maximumBatchSeconds)
  let lane = sweep.lane
  /** What a failed row asks for once its batch is committed: outside of what is tried again. */
  let failures: string[] = []
  run.step('writing types')
  const finished = await walk({
    ...{ sql, walked: target.walked, from: lane.position, to: null, feedback, retried: sweep.retried },
    async goOn() {
      const now = parameters()
      feedback.tune(now.batchSize ?? LARGEST_BATCH, now.maximumBatchSeconds)
      for (const failure of failures) await run.event('failed-row', failure)
      if (failures.length > 0) await checkBudget(database.state, rollout, operation.id, progress.total)
      failures = []
      return await sweep.goOn()
    },
    async work(range) {
      const started = performance.now()
      const { written, unmapped } = await writeBatch(sql, target, lane, {
        rows: inRange(target.walked, range, FIRST_PARAMETER),
        position: lane.position,
        nextPosition: range.high,
        passed: range.rows,
        flush: (progress.batches + 1) % parameters().checkpointInterval === 0,
      })
      const batchSeconds = (performance.now() - started) / 1000
      lane = { ...lane, position: range.high }
      progress.moved({ passed: range.rows, written, failed: unmapped, batchSeconds })
      run.batch(batchSeconds, written)
      if (unmapped > 0) failures.push(`${unmapped} rows failed: no type of the rollout file matches them`)
    },
    async poison({ range, sqlstate, message }) {
      const step = { position: lane.position, nextPosition: range.high, passed: 1 } as const
      await recordFailedRow(sql, rollout.name, lane, { key: range.high, sqlstate, message, ...step })
      lane = { ...lane, position: range.high }
      progress.moved({ passed: 1, written: 0, failed: 1 })
      failures.push(`row ${range.high.join(', ')} failed: ${message} (${sqlstate})`)
    },
  })
  if (!finished) return null
  await database.state`update sti.lane set finished = true where operation_id = ${operation.id} and number = ${lane.number}
    and epoch = ${lane.epoch} and claim = ${lane.claim}`
  return lane
}

/** Sweeps until nothing is left but recorded failed rows. Answers how many rows there are, or null when stopped. */
async function sweepClean(run: Run, sweep: Sweep): Promise<number | null> {
  for (let attempt = 0; ; attempt++) {
    const swept = await sweepOnce(sweep)
    if (swept === null) return null
    if (swept.mended === 0) return swept.rows
    await run.event('sweep', `${swept.mended} rows were not right and have been written or recorded`)
    if (attempt === SWEEPS) {
      throw new OperationFailure(
        'sweep',
        'Rows keep coming in wrong. Something writes past the dual-write trigger: run a validation and look at its trigger check.',
      )
    }
  }
}

/** `--rollback-on-error`: when the backfill fails for good, the flag goes off if it was on. */
async function turnFlagOffAfter(run: Run, error: unknown): Promise<void> {
  if (BackfillParameters.parse(run.parameters()).rollbackOnError === false) return
  const passes = isAway(error) || faultOf(error) !== 'fail' || ['fence-lost', 'trouble'].includes(codeOf(error) ?? '')
  if (passes || !(await run.facts()).flag.enabled) return
  await run.turnFlagOff(`backfill ${run.operation.id} failed`)
}
