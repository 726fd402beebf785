import { setTimeout as delay } from 'node:timers/promises'
import { createBatchSizeHillClimb } from './batchSizeHillClimb.ts'
import { createBatchSizeController, type BatchSizeController } from './batchSizeController.ts'
import type { BulkUpdateTuning, BulkUpdateJob, SharedWorkerState } from './bulkUpdateJob.ts'
import { claimLane, releaseLane, type Lane } from './lane.ts'
import { walkLane } from './laneWalk.ts'
import { createLanes, revokeLaneClaims, hasUnfinishedLanes } from './operationLanes.ts'
import { isDroppedPartition, readLeafPartitions } from './leafPartitions.ts'
import { createStripePolicy, type StripePolicy } from './stripePolicy.ts'
import { runWorkerPool } from './workerPool.ts'

/** How far feedback may go above the default size when nobody gave one. */
const INITIAL_BATCH_ROWS = 1_000
const MAX_BATCH_ROWS = 20_000
/** How often an agent that has nothing left to write looks whether the others are done. */
const LANE_POLL_INTERVAL_MS = 200

/**
 * Applies a change to all rows that need it: leaf partitions cut into lanes, which workers claim one after the other.
 * Goes on where a holder before left it. False when it was asked to stop.
 */
export async function runBulkUpdate(job: BulkUpdateJob): Promise<boolean> {
  const { run } = job
  const state = run.database.state
  await revokeLaneClaims(state, run.operation.id)
  for (let round = 1; ; round++) {
    const leaves = await readLeafPartitions(state, run.rollout.table.sql)
    // A partition that came while the others were written gets lanes in the next round.
    const addedLanes = await createLanes(state, run.operation.id, leaves)
    if (round > 1 && addedLanes === 0) return true
    await run.failpoint(job.failpoints.lanes)
    const shared = createSharedState(job)
    const mayContinue = job.gate.worker()
    for (;;) {
      if (!(await writeLanes(job, shared))) return false
      if (!(await hasUnfinishedLanes(state, run.operation.id))) break
      // Other agents write the last lanes, or have left them behind.
      if (!(await mayContinue())) return false
      await job.betweenBatches()
      await delay(LANE_POLL_INTERVAL_MS)
    }
  }
}

/** Writes lanes of an operation that another agent holds, until none is free. False when it was asked to stop. */
export async function helpBulkUpdate(job: BulkUpdateJob): Promise<boolean> {
  const { run } = job
  try {
    return await writeLanes(job, createSharedState(job))
  } finally {
    await revokeLaneClaims(run.database.state, run.operation.id, run.agent)
  }
}

function createSharedState(job: BulkUpdateJob): SharedWorkerState {
  return {
    sizeController: createSizeController(job.tuning()),
    hillClimb: job.tuning().batchSize === undefined ? createBatchSizeHillClimb(INITIAL_BATCH_ROWS) : null,
    stripePolicy: createJobStripePolicy(job),
    checkedPartitions: new Set(),
  }
}

async function writeLanes(job: BulkUpdateJob, shared: SharedWorkerState): Promise<boolean> {
  return await runWorkerPool(
    () => job.tuning().workers,
    (stays) => runWorker(job, shared, stays),
  )
}

function createSizeController({ batchSize, maximumBatchSeconds }: BulkUpdateTuning): BatchSizeController {
  return createBatchSizeController(batchSize ?? INITIAL_BATCH_ROWS, batchSize ?? MAX_BATCH_ROWS, maximumBatchSeconds)
}

function createJobStripePolicy(job: BulkUpdateJob): StripePolicy {
  const { run, secondaryIndexCount: secondaryIndexes } = job
  return createStripePolicy({
    uselessBecause: secondaryIndexes === 0 ? 'there is no secondary index' : null,
    pruningBlocker() {
      const oldest = run.pressure.oldestSnapshot()
      if (!('value' in oldest) || oldest.value.holder === null || oldest.value.seconds < 1) return null
      return `the snapshot of ${oldest.value.holder}, ${Math.round(oldest.value.seconds)} s old,`
    },
    onDecision: (sentence) => job.onStripeDecision(sentence),
  })
}

async function runWorker(job: BulkUpdateJob, shared: SharedWorkerState, keepWorking: () => boolean): Promise<boolean> {
  const { run, gate } = job
  const state = run.database.state
  const sql = job.connect()
  const waitAtGate = gate.worker()
  const mayContinue = async (): Promise<boolean> => {
    const { batchSize, maximumBatchSeconds } = job.tuning()
    shared.sizeController.tune(batchSize ?? MAX_BATCH_ROWS, maximumBatchSeconds)
    await job.betweenBatches()
    return keepWorking() && (await waitAtGate())
  }
  /** As it is now: a partition that is dropped or detached meanwhile is nobody's work any more. */
  const walkLeaf = async (claimed: Lane): Promise<boolean> => {
    const [table, oid] = [run.rollout.table.sql, claimed.relation!]
    const [leaf] = await readLeafPartitions(state, table, oid)
    if (leaf === undefined) return true
    try {
      return await walkLane(job, shared, leaf, claimed, sql, mayContinue)
    } catch (error) {
      if (await isDroppedPartition(state, table, oid, error)) return true
      throw error
    }
  }
  let lane: Lane | null = null
  try {
    for (;;) {
      lane = await claimLane(state, run.operation.id, run.agent)
      if (lane === null) return true
      const finished = await walkLeaf(lane)
      await releaseLane(state, lane, finished)
      lane = null
      await run.failpoint(job.failpoints.laneFinished)
      if (!finished) return false
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
