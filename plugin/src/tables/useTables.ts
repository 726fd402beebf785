import type { Group } from '@sti-rollout/agent/contract'
import { getTables } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { ACTIVE_POLL_INTERVAL_MS, IDLE_POLL_INTERVAL_MS, type PollingResult, usePolling } from '../agent/usePolling'

/** A rollout with several tables, polled while the page is open. */
export function useTables(
  environment: Pick<Environment, 'agent'> | null,
  rollout: string,
  limit: number,
): PollingResult<Group> {
  return usePolling(
    environment && `${environment.agent.uid}/${rollout}`,
    (signal) => getTables(environment!.agent, rollout, limit, signal),
    (group) => (group?.running ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
}
