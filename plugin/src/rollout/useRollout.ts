import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { pollRollout } from '../agent/rolloutCalls'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { type PollingResult, IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'

/** Changes when an operation starts, ends, or changes its state; null: the rollout is not loaded yet. */
export function operationRevision(detail: Pick<RolloutDetail, 'operations'> | null): string | null {
  if (detail === null) return null
  const [newest] = detail.operations
  return newest === undefined ? '' : `${newest.id} ${newest.state}`
}

/** Changes with every event that is an annotation: of an operation, the flag, a rollback, or a baseline. */
export function annotationRevision(
  detail: Pick<RolloutDetail, 'operations' | 'flag' | 'baseline' | 'incidents'>,
): string {
  const { operations, flag, baseline, incidents } = detail
  const states = operations.map(({ id, state }) => `${id} ${state}`)
  return [...states, flag.version, baseline?.id, incidents.length, incidents[0]?.id].join(' ')
}

/** A rollout, polled more often while an operation is running, the flag is propagating, or an incident is open. */
export function useRollout(environment: Environment | null, name: string): PollingResult<RolloutDetail> {
  return usePolling(
    environment ? `${environmentPlace(environment)}/${name}` : null,
    (signal) => pollRollout((environment as Environment).agent, name, signal),
    (detail) =>
      detail === null || detail.running || !detail.flag.consistent || !detail.flag.persisted || detail.openIncidents > 0
        ? ACTIVE_POLL_INTERVAL_MS
        : IDLE_POLL_INTERVAL_MS,
  )
}
