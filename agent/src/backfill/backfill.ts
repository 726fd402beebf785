import { setTimeout as delay } from 'node:timers/promises'
import { BackfillParameters, type Progress } from '../contract/index.ts'
import { OperationFailure } from '../engine/errors.ts'
import { createFeedback } from '../engine/feedback.ts'
import type { Key } from '../engine/keys.ts'
import { readLanes, takeLane, type Lane } from '../engine/lane.ts'
import { inRange } from '../engine/range.ts'
import { createRate } from '../engine/rate.ts'
import { throttle } from '../engine/throttle.ts'
import { walk } from '../engine/walk.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { FIRST_PARAMETER, recordFailedRow, writeBatch, type Target } from './batch.ts'
import { countFailedRows } from './failedRows.ts'
import { retryFailedRows, sweepOnce } from './sweep.ts'
import { rowsOf } from './total.ts'

/** How far feedback may go above the default size when nobody gave one. */
const LARGEST_BATCH = 20_000
const SWEEPS = 5

export async function runBackfill(run: Run): Promise<Outcome> {
  const { database, rollout, operation } = run
  const facts = await run.facts()
  const table = facts.table!
  const target: Target = { rollout, walked: { table: rollout.table, key: table.key } }
  const parameters = (): BackfillParameters => BackfillParameters.parse(run.parameters())
  const sql = database.engine({
    purpose: `backfill ${operation.id}`,
    searchPath: rollout.searchPath,
    statementTimeoutMs: 20_000,
  })
  let lane: Lane = await takeLane(database.state, operation.id, 0, run.agent)

  const retries: Record<string, number> = { ...operation.progress?.retries }
  const failedBefore = await countFailedRows(database.state, rollout.name)
  let total = operation.progress?.totalRows ?? (await rowsOf(sql, rollout, table))
  let waiting: string | null = null
  let last: { rows: number; seconds: number } | null = null
  const rate = createRate()
  const counters = {
    passed: Number(lane.passed_rows),
    written: Number(lane.written_rows),
    failed: Number(lane.failed_rows),
    batches: Number(lane.batches),
  }
  const report = (finished: boolean): void => {
    if (finished) total = counters.passed
    run.progress(
      progressOf({
        ...counters,
        total: Math.max(total, counters.passed),
        rate: rate.perSecond(),
        last,
        waiting,
        retries,
      }),
    )
  }
  const goOn = async (): Promise<boolean> => {
    for (;;) {
      if (run.asked() !== 'go-on') return false
      const wait = throttle(run.pressure)
      if ((wait?.reason ?? null) !== (waiting === null ? null : waiting.split(':')[0])) {
        await run.event('throttle', wait === null ? 'goes on' : `waits: ${wait.sentence}`)
      }
      waiting = wait === null ? null : `${wait.reason}: ${wait.sentence}`
      if (wait === null) return true
      report(false)
      await delay(200)
    }
  }
  const retried = (sqlstate: string): void => {
    retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    report(false)
  }
  const checkBudget = (): void => {
    const failed = failedBefore + counters.failed
    const budget = rollout.file.errorBudget * Math.max(total, counters.passed)
    if (failed <= budget) return
    throw new OperationFailure(
      'error-budget',
      `${failed} rows failed, more than the error budget of ${rollout.file.errorBudget} of ${Math.max(total, counters.passed)} rows. ` +
        'Look at the failed rows, mend them or the rollout file, then start the backfill again: it skips what is right.',
    )
  }
  const sweep = { sql, state: database.state, target, lane, goOn, retried }

  try {
    if (operation.parameters['failedRowsOnly'] === true) {
      run.step('trying the failed rows again')
      const left = await retryFailedRows(sweep)
      if (left === null) return { outcome: 'stopped' }
      return { outcome: 'succeeded', result: { failedRows: left } }
    }
    if (!lane.finished) {
      run.step('writing types')
      const feedback = createFeedback(...sizes(parameters()))
      report(false)
      const walked = await walk({
        ...{ sql, walked: target.walked, from: lane.position, to: null, feedback, retried },
        goOn: async () => {
          const { batchSize, maximumBatchSeconds } = parameters()
          feedback.tune(batchSize ?? LARGEST_BATCH, maximumBatchSeconds)
          return goOn()
        },
        async work(range) {
          const started = performance.now()
          const { written, unmapped } = await writeBatch(sql, target, lane, {
            rows: inRange(target.walked, range, FIRST_PARAMETER),
            position: lane.position,
            nextPosition: range.high,
            passed: range.rows,
            flush: (counters.batches + 1) % parameters().checkpointInterval === 0,
          })
          const seconds = (performance.now() - started) / 1000
          moved(range.high, range.rows, written, unmapped)
          counters.batches++
          last = { rows: range.rows, seconds }
          rate.add(range.rows)
          run.batch(seconds, written)
          report(false)
          if (unmapped > 0) checkBudget()
        },
        async poison({ range, sqlstate, message }) {
          await recordFailedRow(sql, target, lane, {
            ...{ key: range.high, sqlstate, message, passed: 1 },
            ...{ position: lane.position, nextPosition: range.high },
          })
          moved(range.high, 1, 0, 1)
          report(false)
          await run.event('failed-row', `row ${range.high.join(', ')} failed: ${message} (${sqlstate})`)
          checkBudget()
        },
      })
      if (!walked) return { outcome: 'stopped' }
      await database.state`update sti.lane set finished = true where operation_id = ${operation.id} and number = 0
        and epoch = ${lane.epoch} and claim = ${lane.claim}`
    }
    report(true)
    run.step('sweeping: is anything left?')
    for (let attempt = 0; ; attempt++) {
      const left = await sweepOnce(sweep, () => undefined)
      if (left === null) return { outcome: 'stopped' }
      if (left === 0) break
      await run.event('sweep', `${left} rows were not right and have been written`)
      if (attempt === SWEEPS) {
        throw new OperationFailure(
          'sweep',
          'Rows keep coming in wrong. Something writes past the dual-write trigger: run a validation and look at its trigger check.',
        )
      }
    }
    const stillFailed = await retryFailedRows(sweep)
    if (stillFailed === null) return { outcome: 'stopped' }
    counters.failed = stillFailed
    report(true)
    const lanes = await readLanes(database.state, operation.id)
    return {
      outcome: 'succeeded',
      result: {
        passedRows: counters.passed,
        writtenRows: lanes.reduce((sum, one) => sum + Number(one.written_rows), 0),
        failedRows: stillFailed,
        batches: counters.batches,
      },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }

  function moved(position: Key, passed: number, written: number, failed: number): void {
    lane = { ...lane, position }
    sweep.lane = lane
    counters.passed += passed
    counters.written += written
    counters.failed += failed
  }
}

function sizes(parameters: BackfillParameters): [start: number, ceiling: number, targetSeconds: number] {
  return [parameters.batchSize ?? 1000, parameters.batchSize ?? LARGEST_BATCH, parameters.maximumBatchSeconds]
}

interface Numbers {
  readonly passed: number
  readonly written: number
  readonly failed: number
  readonly total: number
  readonly rate: number | null
  readonly last: { rows: number; seconds: number } | null
  readonly waiting: string | null
  readonly retries: Record<string, number>
}

function progressOf(n: Numbers): Progress {
  const processed = Math.max(0, n.passed - n.failed)
  const open = n.total - n.passed
  return {
    processedRows: processed,
    writtenRows: n.written,
    failedRows: n.failed,
    totalRows: n.total,
    ratio: n.total === 0 || processed === n.total ? 1 : Math.floor((processed / n.total) * 10_000) / 10_000,
    rowsPerSecond: n.rate,
    remainingSeconds: open === 0 ? 0 : n.rate !== null && n.rate > 0 ? open / n.rate : null,
    batchRows: n.last?.rows ?? null,
    batchSeconds: n.last?.seconds ?? null,
    throttled: n.waiting,
    retries: { ...n.retries },
  }
}
