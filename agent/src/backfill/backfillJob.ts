import { BackfillParameters, DEFAULT_MAXIMUM_BATCH_SECONDS } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { BulkUpdateTuning, BulkUpdateJob } from '../engine/bulkUpdateJob.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Table } from '../rollout/rollout.ts'
import { enforceErrorBudget } from './errorBudget.ts'
import { discriminatorUpdate } from './discriminatorUpdate.ts'

/** What whoever writes types has to hear, the holder of the backfill or an agent that helps. */
type BackfillJobHooks = Pick<BulkUpdateJob, 'gate' | 'connect' | 'onProgress' | 'onRetry'> & {
  parameters(): BackfillParameters
  /** Rows of the table, for the error budget. */
  total(): number
  /** How it writes now. */
  decided(sentence: string): void
  /** Called between batches by every worker. */
  looked(): Promise<void>
}

/** Gives every row of the table its type: the work of the lanes, with failed rows told and held against the budget. */
export function createBackfillJob(run: RunContext, table: Table, hooks: BackfillJobHooks): BulkUpdateJob {
  const { database, rollout, operation } = run
  const { gate, connect, onProgress: passed, onRetry: retried } = hooks
  /** What is to be said once the batch is committed: outside of what is tried again. */
  let pendingEvents: { kind: string; sentence: string }[] = []
  return {
    run,
    gate,
    connect,
    onProgress: passed,
    onRetry: retried,
    columnUpdate: discriminatorUpdate(rollout, table.key),
    secondaryIndexCount: table.secondaryIndexes.length,
    tuning: () => resolveTuning(hooks.parameters()),
    failpoints: {
      lanes: 'backfill.lanes',
      batch: 'backfill.batch',
      written: 'backfill.written',
      poison: 'backfill.poison',
      laneFinished: 'backfill.lane-finished',
    },
    onFailedRows: (sentence) => pendingEvents.push({ kind: 'failed-row', sentence }),
    onStripeDecision(sentence) {
      pendingEvents.push({ kind: 'striping', sentence })
      hooks.decided(sentence)
    },
    async betweenBatches() {
      await hooks.looked()
      const events = pendingEvents
      pendingEvents = []
      for (const { kind, sentence } of events) await run.recordEvent(kind, sentence)
      if (!events.some(({ kind }) => kind === 'failed-row')) return
      await run.failpoint('backfill.failure-told')
      await enforceErrorBudget(database.state, rollout, operation.id, hooks.total())
    },
  }
}

/** Whoever wants it to rest wants it gentle: a request that meets a batch waits for a hundredth of a second at most. */
function resolveTuning(parameters: BackfillParameters): BulkUpdateTuning {
  const { withRest, withoutRest } = DEFAULT_MAXIMUM_BATCH_SECONDS
  const maximumBatchSeconds = parameters.maximumBatchSeconds ?? (parameters.niceRatio > 0 ? withRest : withoutRest)
  return { batchSize: undefined, ...parameters, maximumBatchSeconds }
}

/** A connection of one worker of a backfill. */
export function createConnector({ database, operation, rollout }: RunContext): () => Sql {
  const { searchPath } = rollout
  return () =>
    database.engine({ purpose: `backfill ${operation.id}`, searchPath, avoidSeqScan: true, statementTimeoutMs: 20_000 })
}

/** The parameters as they are now. Asked several times for each batch, and parsed only when somebody has changed them. */
export function createParametersReader(run: RunContext): () => BackfillParameters {
  let lastParameters = run.parameters()
  let parsed = BackfillParameters.parse(lastParameters)
  return () => {
    const current = run.parameters()
    if (current !== lastParameters) parsed = BackfillParameters.parse(current)
    lastParameters = current
    return parsed
  }
}
