import { setTimeout as delay } from 'node:timers/promises'
import { formatDuration } from '../format/format.ts'
import { createBatchSizeHillClimb } from './batchSizeHillClimb.ts'
import { createBatchSizeController } from './batchSizeController.ts'
import { createShardBatchSize } from './shardBatchSize.ts'
import type { BulkUpdateJob, SharedWorkerState } from './bulkUpdateJob.ts'
import { claimLane, releaseLane, type Lane } from './lane.ts'
import { walkLane, type LaneWalk } from './laneWalk.ts'
import { createLanes, revokeLaneClaims, hasUnfinishedLanes } from './operationLanes.ts'
import { isDroppedPartition, readLeafPartitions } from './leafPartitions.ts'
import { createStripePolicy, type StripePolicy } from './stripePolicy.ts'
import { runWorkerPool } from './workerPool.ts'

/** Batch size at the start of an update without `batchSize`, and its limit. */
const INITIAL_BATCH_ROWS = 1_000
const MAX_BATCH_ROWS = 20_000
/** How often an agent that has nothing left to write checks if the other agents are done. */
const LANE_POLL_INTERVAL_MS = 200

/**
 * Updates all rows that need it: cuts the leaf partitions into lanes, which workers claim one after the other. Continues
 * where an earlier holder of the operation stopped. False if the operation was asked to stop.
 */
export async function runBulkUpdate(job: BulkUpdateJob): Promise<boolean> {
  const { run } = job
  const state = run.database.state
  await revokeLaneClaims(state, run.operation.id)
  for (let round = 1; ; round++) {
    const leaves = await readLeafPartitions(state, run.rollout.table.sql)
    // A partition that was attached in the meantime gets lanes in the next round.
    const addedLanes = await createLanes(state, run.operation.id, leaves)
    if (round > 1 && addedLanes === 0) return true
    await run.failpoint(job.failpoints.lanes)
    const shared = createSharedState(job)
    const mayContinue = job.gate.worker()
    for (;;) {
      if (!(await writeLanes(job, shared))) return false
      if (!(await hasUnfinishedLanes(state, run.operation.id))) break
      // Other agents write the last lanes, or have released them unfinished.
      if (!(await mayContinue())) return false
      await job.hooks.betweenBatches()
      await delay(LANE_POLL_INTERVAL_MS)
    }
  }
}

/** Writes lanes of an operation that another agent holds, until none is free. False if it was asked to stop. */
export async function helpBulkUpdate(job: BulkUpdateJob): Promise<boolean> {
  const { run } = job
  try {
    return await writeLanes(job, createSharedState(job))
  } finally {
    await revokeLaneClaims(run.database.state, run.operation.id, run.agent)
  }
}

function createSharedState(job: BulkUpdateJob): SharedWorkerState {
  const { batchSize, maximumBatchSeconds } = job.tuning()
  const limits = [batchSize ?? INITIAL_BATCH_ROWS, maxBatchRows(job), maximumBatchSeconds] as const
  const parts = { stripePolicy: createJobStripePolicy(job), checkedPartitions: new Set<number>() }
  if (job.columnUpdate.inShards !== null) {
    const shardBatchSize = createShardBatchSize(...limits)
    return { ...parts, sizeController: shardBatchSize, shardBatchSize, hillClimb: null }
  }
  const hillClimb = batchSize === undefined ? createBatchSizeHillClimb(INITIAL_BATCH_ROWS) : null
  return { ...parts, sizeController: createBatchSizeController(...limits), shardBatchSize: null, hillClimb }
}

async function writeLanes(job: BulkUpdateJob, shared: SharedWorkerState): Promise<boolean> {
  return await runWorkerPool(
    () => job.tuning().workers,
    (keepWorking) => runWorker(job, shared, keepWorking),
  )
}

/** The largest batch. In shards, each node writes its part of it. */
function maxBatchRows({ columnUpdate, tuning }: BulkUpdateJob): number {
  return tuning().batchSize ?? MAX_BATCH_ROWS * (columnUpdate.inShards?.nodes ?? 1)
}

function createJobStripePolicy(job: BulkUpdateJob): StripePolicy {
  const { run, secondaryIndexCount } = job
  return createStripePolicy({
    uselessBecause: secondaryIndexCount === 0 ? 'the table has no secondary index' : null,
    pruningBlocker() {
      const oldest = run.pressure.oldestSnapshot()
      if (!('value' in oldest) || oldest.value.holder === null || oldest.value.seconds < 1) return null
      return `a snapshot that is ${formatDuration(Math.round(oldest.value.seconds))} old, held by ${oldest.value.holder}`
    },
    onDecision: (message) => job.hooks.onStripeDecision(message),
  })
}

async function runWorker(job: BulkUpdateJob, shared: SharedWorkerState, keepWorking: () => boolean): Promise<boolean> {
  const { run } = job
  const state = run.database.state
  const sql = job.connect()
  const waitAtGate = job.gate.worker()
  const mayContinue = async (): Promise<boolean> => {
    shared.sizeController.tune(maxBatchRows(job), job.tuning().maximumBatchSeconds)
    await job.hooks.betweenBatches()
    return keepWorking() && (await waitAtGate())
  }
  try {
    for (;;) {
      const lane = await claimLane(state, run.operation.id, run.agent)
      if (lane === null) return true
      const finished = await walkExistingLeaf({ job, shared, sql, mayContinue }, lane)
      await releaseLane(state, lane, finished)
      await run.failpoint(job.failpoints.laneFinished)
      if (!finished) return false
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Reads the leaf as it is now: if it was dropped or detached, its lane has nothing left to write. */
async function walkExistingLeaf(walk: Omit<LaneWalk, 'leaf'>, lane: Lane): Promise<boolean> {
  const { rollout, database } = walk.job.run
  const [table, oid] = [rollout.table.sql, lane.relation!]
  const [leaf] = await readLeafPartitions(database.state, table, oid)
  if (leaf === undefined) return true
  try {
    return await walkLane({ ...walk, leaf }, lane)
  } catch (error) {
    if (await isDroppedPartition(database.state, table, oid, error)) return true
    throw error
  }
}
