import type { ApiReadings } from './apiScraper.ts'
import type { ArchiveBacklog } from './archiveBacklog.ts'
import type { Autovacuum } from './autovacuum.ts'
import type { CustomReading } from './customSignal.ts'
import type { LockWaiters } from './lockWaiters.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ReplicationLag } from './replicationLag.ts'
import type { SlotRetention } from './replicationSlots.ts'
import type { OldestSnapshot } from './oldestSnapshot.ts'

/** All that the throttle of one rollout looks at, from memory. */
export interface ThrottleReadings {
  lockWaiters(): Reading<LockWaiters>
  replicationLag(): Reading<ReplicationLag>
  slots(): Reading<SlotRetention>
  archive(): Reading<ArchiveBacklog>
  /** Who keeps dead row versions from being pruned: pid, age, and in words. */
  oldestSnapshot(): Reading<OldestSnapshot>
  /** Client connections / max_connections. */
  connections(): Reading<number>
  /** Of the rollout's table and its partitions. */
  autovacuum(): Reading<Autovacuum>
  /** Bytes per second of the whole server. */
  walRate(): Reading<number>
  /** Seconds, over the last 10 s; 0 while the application answers no request. */
  apiLatencyP95(): Reading<number>
  /** The signals of the rollout file, in its order. */
  custom(): readonly CustomReading[]
}

/** Where nobody asks anything there is nothing to hurt: no request is no latency. */
export function latencyP95OrZeroWhenIdle({ latencyP95, requestRate }: ApiReadings): Reading<number> {
  if (isKnown(latencyP95) || !isKnown(requestRate) || requestRate.value > 0) return latencyP95
  return { value: 0, at: requestRate.at }
}
