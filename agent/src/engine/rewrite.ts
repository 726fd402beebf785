import { setTimeout as delay } from 'node:timers/promises'
import { createClimb } from './climb.ts'
import { createFeedback, type Feedback } from './feedback.ts'
import type { Pace, Rewrite, Shared } from './job.ts'
import { claimLane, leaveLane, type Lane } from './lane.ts'
import { walkLane } from './laneWalk.ts'
import { cutLanes, freeLanes, lanesLeft } from './lanes.ts'
import { isGone, leavesOf } from './leaves.ts'
import { createStriping, type Striping } from './striping.ts'
import { runWorkers } from './workers.ts'

/** How far feedback may go above the default size when nobody gave one. */
const FIRST_BATCH = 1_000
const LARGEST_BATCH = 20_000
/** How often an agent that has nothing left to write looks whether the others are done. */
const LOOK_MS = 200

/**
 * Applies a change to all rows that need it: leaf partitions cut into lanes, which workers claim one after the other.
 * Goes on where a holder before left it. False when it was asked to stop.
 */
export async function rewrite(job: Rewrite): Promise<boolean> {
  const { run } = job
  const state = run.database.state
  await freeLanes(state, run.operation.id)
  for (let round = 1; ; round++) {
    const leaves = await leavesOf(state, run.rollout.table.sql)
    // A partition that came while the others were written gets lanes in the next round.
    const cut = await cutLanes(state, run.operation.id, leaves)
    if (round > 1 && cut === 0) return true
    await run.reached(job.points.lanes)
    const shared = sharedBy(job)
    const goOn = job.gate.worker()
    for (;;) {
      if (!(await writeLanes(job, shared))) return false
      if (!(await lanesLeft(state, run.operation.id))) break
      // Other agents write the last lanes, or have left them behind.
      if (!(await goOn())) return false
      await job.between()
      await delay(LOOK_MS)
    }
  }
}

/** Writes lanes of an operation that another agent holds, until none is free. False when it was asked to stop. */
export async function help(job: Rewrite): Promise<boolean> {
  const { run } = job
  try {
    return await writeLanes(job, sharedBy(job))
  } finally {
    await freeLanes(run.database.state, run.operation.id, run.agent)
  }
}

function sharedBy(job: Rewrite): Shared {
  return {
    feedback: feedbackOf(job.pace()),
    climb: job.pace().batchSize === undefined ? createClimb(FIRST_BATCH) : null,
    striping: stripingOf(job),
    planned: new Set(),
  }
}

async function writeLanes(job: Rewrite, shared: Shared): Promise<boolean> {
  return await runWorkers(
    () => job.pace().workers,
    (stays) => work(job, shared, stays),
  )
}

function feedbackOf({ batchSize, maximumBatchSeconds }: Pace): Feedback {
  return createFeedback(batchSize ?? FIRST_BATCH, batchSize ?? LARGEST_BATCH, maximumBatchSeconds)
}

function stripingOf(job: Rewrite): Striping {
  const { run, secondaryIndexes } = job
  return createStriping({
    useless: secondaryIndexes === 0 ? 'there is no secondary index' : null,
    blocker() {
      const oldest = run.pressure.oldestSnapshot()
      if (!('value' in oldest) || oldest.value.holder === null || oldest.value.seconds < 1) return null
      return `the snapshot of ${oldest.value.holder}, ${Math.round(oldest.value.seconds)} s old,`
    },
    decided: (sentence) => job.decided(sentence),
  })
}

async function work(job: Rewrite, shared: Shared, stays: () => boolean): Promise<boolean> {
  const { run, gate } = job
  const state = run.database.state
  const sql = job.connect()
  const worker = gate.worker()
  const goOn = async (): Promise<boolean> => {
    const { batchSize, maximumBatchSeconds } = job.pace()
    shared.feedback.tune(batchSize ?? LARGEST_BATCH, maximumBatchSeconds)
    await job.between()
    return stays() && (await worker())
  }
  /** As it is now: a partition that is dropped or detached meanwhile is nobody's work any more. */
  const walkLeaf = async (claimed: Lane): Promise<boolean> => {
    const [table, oid] = [run.rollout.table.sql, claimed.relation!]
    const [leaf] = await leavesOf(state, table, oid)
    if (leaf === undefined) return true
    try {
      return await walkLane(job, shared, leaf, claimed, sql, goOn)
    } catch (error) {
      if (await isGone(state, table, oid, error)) return true
      throw error
    }
  }
  let lane: Lane | null = null
  try {
    for (;;) {
      lane = await claimLane(state, run.operation.id, run.agent)
      if (lane === null) return true
      const end = await walkLeaf(lane)
      await leaveLane(state, lane, end)
      lane = null
      await run.reached(job.points.laneFinished)
      if (!end) return false
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
