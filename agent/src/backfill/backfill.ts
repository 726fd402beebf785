import { BackfillParameters } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { codeOf, faultOf, isAway, OperationFailure, OperationTrouble } from '../engine/errors.ts'
import { createGate } from '../engine/goOn.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { takeLane } from '../engine/lane.ts'
import { laneTotals } from '../engine/lanes.ts'
import { rewrite } from '../engine/rewrite.ts'
import { demandTable } from '../engine/table.ts'
import type { Table } from '../rollout/rollout.ts'
import { checkBudget } from './budget.ts'
import { typeChange } from './change.ts'
import { createBackfillProgress, type BackfillProgress } from './progress.ts'
import { backfillRefusals } from './refusals.ts'
import { retryFailedRows } from './retry.ts'
import { sweepOnce, type Sweep } from '../engine/sweep.ts'
import { rowsOf } from './total.ts'
import { connection, parametersOf, typesJob } from './types.ts'

const SWEEPS = 5
/** How often the lanes are read while other agents may write some of them. */
const LOOK_MS = 500

export async function runBackfill(run: Run): Promise<Outcome> {
  const { database, rollout, operation } = run
  const facts = await run.facts()
  const table = demandTable(facts)
  // While it stood paused somebody may have changed a trigger or turned the flag on.
  const refusals = backfillRefusals(facts)
  if (refusals.length > 0) throw new OperationTrouble(refusals.join(' '))
  await run.reached('backfill.begun')
  const parameters = parametersOf(run)
  const connect = connection(run)
  try {
    const lane = await takeLane(database.state, operation.id, run.agent)
    const total = operation.progress?.totalRows ?? (await counted(connect, run, table))
    const progress = createBackfillProgress(
      run,
      await laneTotals(database.state, operation.id),
      total,
      parameters().agents > 1,
    )
    const sweep: Sweep = {
      run,
      lane,
      connect,
      retried: progress.retried,
      change: typeChange(rollout, table.key),
      gate: createGate(run, (wait) => progress.waits(wait === null ? null : `${wait.reason}: ${wait.sentence}`)),
      along: rollout.file.dualWrite === 'trigger' ? 'heap' : 'key',
      workers: () => parameters().workers,
      batchSize: () => parameters().batchSize,
    }
    progress.report()
    return operation.parameters['failedRowsOnly'] === true
      ? await retry(run, sweep)
      : await fill(run, sweep, table, progress, parameters)
  } catch (error) {
    await turnFlagOffAfter(run, error)
    throw error
  }
}

async function counted(connect: () => Sql, { rollout }: Run, table: Table): Promise<number> {
  const sql = connect()
  try {
    return await rowsOf(sql, rollout, table)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function retry(run: Run, sweep: Sweep): Promise<Outcome> {
  run.step('trying the failed rows again')
  const left = await retryFailedRows(sweep)
  return left === null ? { outcome: 'stopped' } : { outcome: 'succeeded', result: { failedRows: left } }
}

async function fill(
  run: Run,
  sweep: Sweep,
  table: Table,
  progress: BackfillProgress,
  parameters: () => BackfillParameters,
): Promise<Outcome> {
  if (!(await writeTypes(run, sweep, table, progress, parameters))) return { outcome: 'stopped' }
  run.step('sweeping: is anything left?')
  await run.reached('sweep.begun')
  const rows = await sweepClean(run, sweep)
  if (rows === null) return { outcome: 'stopped' }
  const failedRows = await retryFailedRows(sweep)
  if (failedRows === null) return { outcome: 'stopped' }
  progress.counted(rows, failedRows)
  // Asked again here: an agent that died between a failed row and this question has left it open.
  await checkBudget(run.database.state, run.rollout, run.operation.id, rows)
  const { written } = await laneTotals(run.database.state, run.operation.id)
  const result = { passedRows: rows, writtenRows: written, failedRows, batches: progress.batches }
  return { outcome: 'succeeded', result }
}

/** Writes all lanes, alone or with other agents. False when it was asked to stop. */
async function writeTypes(
  run: Run,
  sweep: Sweep,
  table: Table,
  progress: BackfillProgress,
  parameters: () => BackfillParameters,
): Promise<boolean> {
  const { database, rollout, operation } = run
  let failed = 0
  let lookedAt = performance.now()
  run.step('writing types')
  const job = typesJob(run, table, {
    parameters,
    gate: sweep.gate,
    connect: sweep.connect,
    retried: progress.retried,
    passed: progress.moved,
    total: () => progress.total,
    decided: (sentence) => run.step(`writing types, ${sentence}`),
    async looked() {
      // What other agents write and record is known from the lanes alone.
      if (parameters().agents === 1 || performance.now() - lookedAt < LOOK_MS) return
      lookedAt = performance.now()
      const totals = await laneTotals(database.state, operation.id)
      progress.read(totals)
      if (totals.failed > failed) await checkBudget(database.state, rollout, operation.id, progress.total)
      failed = totals.failed
    },
  })
  const done = await rewrite(job)
  if (parameters().agents > 1) progress.read(await laneTotals(database.state, operation.id))
  return done
}

/** Sweeps until nothing is left but recorded failed rows. Answers how many rows there are, or null when stopped. */
async function sweepClean(run: Run, sweep: Sweep): Promise<number | null> {
  for (let attempt = 0; ; attempt++) {
    const swept = await sweepOnce(sweep)
    if (swept === null) return null
    if (swept.mended === 0 && !swept.moved) return swept.rows
    if (swept.mended > 0) {
      await run.event('sweep', `${swept.mended} rows were not right and have been written or recorded`)
      await run.reached('sweep.told')
    }
    if (attempt === SWEEPS) {
      throw new OperationFailure(
        'sweep',
        swept.moved
          ? 'The table is rewritten (VACUUM FULL, CLUSTER) or gets partitions all the time: start the backfill again once that has ended.'
          : 'Rows keep coming in wrong. Something writes past the dual-write trigger: run a validation and look at its trigger check.',
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
