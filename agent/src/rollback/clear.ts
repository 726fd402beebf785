import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import type { Change } from '../engine/change.ts'
import { faultOf, OperationFailure } from '../engine/errors.ts'
import type { Blames } from '../engine/failedRow.ts'
import { createGate } from '../engine/goOn.ts'
import type { Run } from '../engine/kind.ts'
import { takeLane } from '../engine/lane.ts'
import { laneTotals } from '../engine/lanes.ts'
import { inRange } from '../engine/range.ts'
import { createRate } from '../engine/rate.ts'
import { rowProgress } from '../engine/rowProgress.ts'
import type { Pace, Step } from '../engine/job.ts'
import { rewrite } from '../engine/rewrite.ts'
import { sweepOnce, type Sweep } from '../engine/sweep.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

const PACE: Pace = { workers: 2, batchSize: undefined, maximumBatchSeconds: 0.1, checkpointInterval: 100 }

/**
 * Sets a column that was there before us back to NULL, where it still holds the value that we derived: what somebody
 * wrote since stays. In lanes, with the backfill's fence and checkpoints; then a sweep along the key, since without the
 * trigger a row may move past the lanes. Once: a row whose legacy columns come to say its type again after that was
 * somebody's own. A row that cannot be written is recorded as a failed row, and the rest goes on.
 * Answers how many rows were cleared, or null when it was asked to stop.
 */
export async function clearColumn(run: Run, table: Table): Promise<number | null> {
  const { rollout, operation, database } = run
  const change = clearing(rollout, table)
  const lane = await takeLane(database.state, operation.id, run.agent)
  const progress = await createProgress(run, table.estimatedRows)
  const sweep: Sweep = {
    run,
    change,
    lane,
    along: 'key',
    workers: () => 1,
    retried: progress.retried,
    blames: holdsDerived(rollout),
    gate: createGate(run, (wait) => run.step(wait === null ? 'clearing the column' : `waits: ${wait.sentence}`)),
    connect: () =>
      database.engine({
        purpose: `rollback ${operation.id}`,
        searchPath: rollout.searchPath,
        statementTimeoutMs: 30_000,
        ranges: true,
      }),
  }
  const decisions: string[] = []
  const cleared = await rewrite({
    ...sweep,
    secondaryIndexes: table.secondaryIndexes.length,
    pace: () => PACE,
    points: {
      lanes: 'rollback.lanes',
      batch: 'rollback.clear',
      written: 'rollback.clear-written',
      poison: 'rollback.clear-failed',
      laneFinished: 'rollback.lane-finished',
    },
    async between() {
      for (const sentence of decisions.splice(0)) await run.event('striping', sentence)
    },
    passed: progress.moved,
    failed: () => undefined,
    decided: (sentence) => decisions.push(sentence),
  })
  if (!cleared) return null
  run.step('sweeping: is anything left?')
  if ((await sweepOnce(sweep)) === null) return null
  await refuseRowsLeft(run)
  return (await laneTotals(database.state, operation.id)).written
}

function clearing(rollout: Rollout, table: Table): Change {
  const type = `t.${rollout.discriminator.sql}`
  return {
    rollout: rollout.name,
    key: table.key,
    column: rollout.discriminator.sql,
    value: 'null',
    unmapped: null,
    needed: `${type} is not null and ${type} is not distinct from ${rollout.derive('t')}`,
  }
}

/** Where the expression itself raises we derived nothing: whatever stands there is not ours. */
function holdsDerived(rollout: Rollout): Blames {
  return async (sql: Sql, walked, range) => {
    const { condition, values } = inRange(walked, range, 1)
    try {
      const rows = await sql.unsafe<{ holds: boolean }[]>(
        `select exists (select from ${walked.table.sql} as t
           where ${condition} and t.${rollout.discriminator.sql} = ${rollout.derive('t')}) as holds`,
        values,
      )
      return onlyRow(rows).holds
    } catch (error) {
      if (faultOf(error) === 'row') return false
      throw error
    }
  }
}

async function refuseRowsLeft({ database, rollout, operation }: Run): Promise<void> {
  const [failed] = await database.state<{ rows: number }[]>`
    select count(*)::int as rows from sti.failed_row
    where rollout = ${rollout.name} and operation_id = ${operation.id} and recovered_at is null`
  if (failed!.rows === 0) return
  throw new OperationFailure(
    'rows-left',
    `${failed!.rows} rows could not be cleared and keep their type; everything else is taken back. Look at the failed rows, mend what refuses them, then roll back again.`,
  )
}

async function createProgress(run: Run, estimated: number | null) {
  const rate = createRate()
  const retries: Record<string, number> = {}
  let { passed, written } = await laneTotals(run.database.state, run.operation.id)
  return {
    retried(sqlstate: string): void {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    moved(step: Step): void {
      passed += step.passed
      written += step.written
      rate.add(Math.max(0, step.passed))
      const batch = { batchRows: step.batch?.rows ?? null, batchSeconds: step.batch?.seconds ?? null }
      run.progress(rowProgress({ passed, written, estimated, perSecond: rate.perSecond(), ...batch, retries }))
    },
  }
}
