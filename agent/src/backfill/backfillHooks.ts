import type { HeldRowsProgress } from '../contract/index.ts'
import { describeHolders, nameHolders } from '../database/lockHolders.ts'
import type { BulkUpdateHooks } from '../engine/bulkUpdateJob.ts'
import { createHeldRowMessages, type HeldRows } from '../engine/heldRows.ts'
import { readLaneTotals } from '../engine/operationLanes.ts'
import type { RunContext } from '../kind/kind.ts'
import { createParametersReader } from './backfillJob.ts'
import type { BackfillProgress } from './backfillProgress.ts'
import { enforceErrorBudget } from './errorBudget.ts'

/** How often the holder reads the lanes while other agents may write some of them. */
const LANE_POLL_INTERVAL_MS = 500

/** Hooks of the agent that holds the backfill: they feed its progress, and the lanes of other agents with it. */
export function createHolderHooks(run: RunContext, progress: BackfillProgress): BulkUpdateHooks {
  const { database, operation } = run
  const parameters = createParametersReader(run)
  const events = createEventQueue(run, () => progress.total)
  let knownFailedRows = 0
  let lastPolledAt = performance.now()
  /** Only the lanes show what other agents write and record. */
  const pollLanes = async (): Promise<void> => {
    if (parameters().agents === 1 || performance.now() - lastPolledAt < LANE_POLL_INTERVAL_MS) return
    lastPolledAt = performance.now()
    const totals = await readLaneTotals(database.state, operation.id)
    progress.setLaneTotals(totals)
    if (totals.failed > knownFailedRows) await enforceErrorBudget(run, progress.total)
    knownFailedRows = totals.failed
  }
  return {
    async betweenBatches() {
      await pollLanes()
      await events.flush()
    },
    onProgress: progress.addBatch,
    onFailedRows: events.addFailedRows,
    onStripeDecision(message) {
      events.addStripeDecision(message)
      run.setStep(`writing types, ${message}`)
    },
    onRetry: progress.addRetry,
    onHeldRows(held) {
      progress.setHeldRows(held && toHeldRowsProgress(held))
      events.setHeldRows(held)
    },
    onWait: (wait) => progress.setWait(wait === null ? null : `${wait.reason}: ${wait.sentence}`),
  }
}

function toHeldRowsProgress({ rows, keys, holders, isWaiting }: HeldRows): HeldRowsProgress {
  return {
    rows,
    keys: keys.map((key) => [...key]),
    holders: describeHolders(holders),
    holderNames: nameHolders(holders),
    waiting: isWaiting,
  }
}

/** Hooks of an agent that helps: the holder reports progress and enforces the error budget. */
export function createHelperHooks(run: RunContext, onWrittenRows: (rows: number) => void): BulkUpdateHooks {
  const events = createEventQueue(run, () => null)
  return {
    betweenBatches: events.flush,
    onProgress: (batch) => onWrittenRows(batch.writtenRows),
    onFailedRows: events.addFailedRows,
    onStripeDecision: events.addStripeDecision,
    onRetry: () => undefined,
    onHeldRows: events.setHeldRows,
    onWait: () => undefined,
  }
}

interface EventQueue {
  readonly addFailedRows: (message: string) => void
  readonly addStripeDecision: (message: string) => void
  readonly setHeldRows: (held: HeldRows | null) => void
  /** @throws OperationFailedError if more rows failed than the error budget allows */
  readonly flush: () => Promise<void>
}

/**
 * Events wait until their batch is committed: a retry of the batch would record them twice. `totalRows`: rows of the table
 * for the error budget; null: another agent enforces it.
 */
function createEventQueue(run: RunContext, totalRows: () => number | null): EventQueue {
  let pending: { kind: 'failed-row' | 'striping' | 'held'; message: string }[] = []
  const heldRowMessage = createHeldRowMessages()
  return {
    addFailedRows: (message) => pending.push({ kind: 'failed-row', message }),
    addStripeDecision: (message) => pending.push({ kind: 'striping', message }),
    setHeldRows(held) {
      const message = heldRowMessage(held)
      if (message !== null) pending.push({ kind: 'held', message })
    },
    async flush() {
      const events = pending
      pending = []
      for (const { kind, message } of events) await run.recordEvent(kind, message)
      if (!events.some(({ kind }) => kind === 'failed-row')) return
      await run.failpoint('backfill.failure-told')
      const rows = totalRows()
      if (rows !== null) await enforceErrorBudget(run, rows)
    },
  }
}
