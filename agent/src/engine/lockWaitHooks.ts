import { readShardRowHolders } from '../citus/readShardRowHolders.ts'
import type { BulkUpdateJob } from './bulkUpdateJob.ts'
import { CTID_KEY } from './ctid.ts'
import type { KeyRange, KeyedTable } from './keyRange.ts'
import type { LockWaitHooks } from './rangeWalk.ts'

/**
 * Reads who holds a row of this range of pages after a batch in shards gave up waiting for it: a batch waits too short a
 * time for Citus to say so meanwhile. Nothing depends on the answer, so a holder that cannot be read is not named yet.
 */
async function findShardHolders(
  { run, heldRows }: Pick<BulkUpdateJob, 'run' | 'heldRows'>,
  { table, key }: KeyedTable,
  range: KeyRange | null,
): Promise<void> {
  const [low, high] = [range?.low?.[0], range?.high[0]]
  if (key !== CTID_KEY || low === undefined || high === undefined) return
  const holders = await readShardRowHolders(run.database.state, table.sql, low, high).catch(() => [])
  if (holders.length > 0) heldRows.setHolders(holders)
}

/**
 * What a walk does when a row is held: it skips such rows, or, in shards, where it cannot, it waits. Either way their holders are
 * read.
 */
export function heldRowHooks(job: BulkUpdateJob, target: KeyedTable, skipLocked: () => void): LockWaitHooks {
  return {
    observer: job.run.database.state,
    async onConflict(range) {
      if (job.columnUpdate.inShards === null) skipLocked()
      else await findShardHolders(job, target, range)
    },
    onBlockers: (holders) => job.heldRows.setHolders(holders),
  }
}
