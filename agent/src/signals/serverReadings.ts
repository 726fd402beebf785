import { pollArchiveBacklog, type ArchiveBacklog } from './archiveBacklog.ts'
import type { Autovacuum } from './autovacuum.ts'
import type { OldestTransaction } from './databaseActivity.ts'
import { pollLockWaiters, type LockWaiters } from './lockWaiters.ts'
import { pollOldestSnapshot, type OldestSnapshot } from './oldestSnapshot.ts'
import type { Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import { pollSlotRetention, type SlotRetention } from './replicationSlots.ts'
import type { ServerQuery } from './serverQuery.ts'
import { pollWalRate } from './walRate.ts'

/** What the throttle checks on one server, from memory. */
export interface ServerReadings {
  lockWaiters(): Reading<LockWaiters>
  replicationLag(): Reading<ReplicationLag>
  slots(): Reading<SlotRetention>
  archive(): Reading<ArchiveBacklog>
  /** Who keeps dead row versions from being removed: pid, age, and a description. */
  oldestSnapshot(): Reading<OldestSnapshot>
  oldestTransaction(): Reading<OldestTransaction>
  /** Client connections / max_connections. */
  connections(): Reading<number>
  /** An autovacuum of the rollout's table, its partitions or its shards. */
  autovacuum(): Reading<Autovacuum>
  /** Bytes per second of the whole server. */
  walRate(): Reading<number>
}

export const SERVER_INTERVAL_MS = 2_000
const WAL_INTERVAL_MS = 1_000

/** The readings of a server that are polled only while an operation runs. */
export function pollServer(
  server: ServerQuery,
  lockServer: ServerQuery,
  now: () => number,
  lockWaitersIntervalMs?: number,
) {
  const shared = { server, intervalMs: SERVER_INTERVAL_MS, now }
  const named = {
    lockWaiters: pollLockWaiters({ server: lockServer, intervalMs: lockWaitersIntervalMs, now }),
    slots: pollSlotRetention(shared),
    archive: pollArchiveBacklog(shared),
    oldestSnapshot: pollOldestSnapshot(shared),
    walRate: pollWalRate({ ...shared, intervalMs: WAL_INTERVAL_MS }),
  }
  return { ...named, polls: Object.values<Poll<unknown>>(named) }
}
