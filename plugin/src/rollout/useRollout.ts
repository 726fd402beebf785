import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { rollout as askRollout } from '../agent/calls'
import type { Environment } from '../agent/useEnvironment'
import { type Polled, QUIET_MS, RUNNING_MS, usePolled } from '../agent/usePolled'

/** A rollout as its agent answers it: often while something runs or the flag is still on its way, seldom otherwise. */
export function useRollout(environment: Environment | null, name: string): Polled<RolloutDetail> {
  return usePolled(
    environment ? `${environment.name}/${name}` : null,
    (signal) => askRollout((environment as Environment).agent, name, signal),
    (detail) =>
      detail && (detail.running || !detail.flag.consistent || !detail.flag.persisted) ? RUNNING_MS : QUIET_MS,
  )
}
