import type { BulkUpdateJob } from './bulkUpdateJob.ts'
import { blockStart, CTID_KEY } from './ctid.ts'
import type { Lane } from './lane.ts'
import { isOfDroppedPartition, readLeafPartitions, type LeafPartition } from './leafPartitions.ts'
import { sweepPart, type OwedRange, type PartSweep, type SweepPart } from './sweepPart.ts'
import { writeOwedRanges } from './owedRanges.ts'
import { runWorkerPool, type KeepWorking } from './workerPool.ts'

export interface SweepResult {
  readonly rows: number
  /** Rows that were written or newly recorded as failed. */
  readonly fixedRows: number
  /** The table was rewritten or got a partition during the sweep: it may have missed rows. */
  readonly tableChanged: boolean
}

interface Sweep {
  readonly job: BulkUpdateJob
  readonly lane: Lane
  /** Parts that no worker has taken. */
  readonly parts: SweepPart[]
  readonly counts: PartSweep['counts']
  readonly owed: OwedRange[]
}

const PART_BLOCKS = 2_048

/**
 * Reads every row again and writes or records the rows that are not right: rows that were added between two batches or
 * written around the trigger. Then waits for the rows that other transactions hold. `lane` is the operation's own lane: it
 * fences the writes, and the sweep does not move it.
 * Null if the operation was asked to stop.
 */
export async function sweepOnce(job: BulkUpdateJob, lane: Lane): Promise<SweepResult | null> {
  const { rollout, database } = job.run
  const partitionsBefore = await readLeafPartitions(database.state, rollout.table.sql)
  const wholeTable = {
    leafOid: null,
    target: { table: rollout.table, key: job.columnUpdate.key },
    from: null,
    to: null,
  }
  const inHeapOrder = job.sweepOrder === 'heap'
  const sweep: Sweep = {
    job,
    lane,
    parts: inHeapOrder ? partitionsBefore.flatMap(splitLeaf) : [wholeTable],
    counts: { rows: 0, fixedRows: 0 },
    owed: [],
  }
  job.heldRows.restart()
  const finished = await runWorkerPool(
    () => (inHeapOrder ? job.tuning().workers : 1),
    (keepWorking) => runSweepWorker(sweep, keepWorking),
  )
  if (!finished || !(await writeOwedRanges(job, lane, sweep.owed))) return null
  const partitionsAfter = await readLeafPartitions(database.state, rollout.table.sql)
  return { ...sweep.counts, tableChanged: partitionsDiffer(partitionsBefore, partitionsAfter) }
}

async function runSweepWorker({ job, lane, parts, counts, owed }: Sweep, keepWorking: KeepWorking): Promise<boolean> {
  const sql = job.connect()
  const waitAtGate = job.gate.worker()
  const mayContinue = async (): Promise<boolean> => keepWorking() && (await waitAtGate())
  try {
    for (;;) {
      if (!keepWorking() || job.run.directive() !== 'continue') return parts.length === 0
      const part = parts.shift()
      if (part === undefined) return true
      try {
        const remaining = await sweepPart({ job, lane, sql, counts, owed, mayContinue }, part)
        if (remaining !== null) parts.unshift(remaining)
      } catch (error) {
        if (!(await isOfDroppedPartition(job, part.leafOid, error))) throw error
      }
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function splitLeaf(leaf: LeafPartition): SweepPart[] {
  return Array.from({ length: Math.ceil(leaf.blocks / PART_BLOCKS) }, (_, partIndex) => ({
    leafOid: leaf.oid,
    target: { table: leaf, key: CTID_KEY },
    from: blockStart(partIndex * PART_BLOCKS),
    to: blockStart(Math.min(leaf.blocks, (partIndex + 1) * PART_BLOCKS)),
  }))
}

function partitionsDiffer(before: readonly LeafPartition[], after: readonly LeafPartition[]): boolean {
  const files = (leaves: readonly LeafPartition[]): string =>
    leaves.map((leaf) => `${leaf.oid} ${leaf.filenode}`).join()
  return files(before) !== files(after)
}
