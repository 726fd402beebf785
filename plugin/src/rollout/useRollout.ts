import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { getRollout as askRollout } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { type PollingResult, IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'

/** A rollout as its agent answers it: often while something runs or the flag is still on its way, seldom otherwise. */
export function useRollout(environment: Environment | null, name: string): PollingResult<RolloutDetail> {
  return usePolling(
    environment ? `${environment.name}/${name}` : null,
    (signal) => askRollout((environment as Environment).agent, name, signal),
    (detail) =>
      detail && (detail.running || !detail.flag.consistent || !detail.flag.persisted)
        ? ACTIVE_POLL_INTERVAL_MS
        : IDLE_POLL_INTERVAL_MS,
  )
}
