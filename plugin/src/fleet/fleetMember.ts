import type { AgentDataSource } from '../agent/agentDataSources'
import type { AgentError } from '../agent/AgentError'
import type { RolloutRow } from '../rollout/rolloutRows'

/** One database of a fleet. */
export interface FleetMember {
  /** Distinguishes it from every other member. */
  readonly key: string
  /** Its environment, with the agents if another member has the same environment. */
  readonly label: string
  readonly environment: string | null
  readonly production: boolean
  readonly agents: readonly [AgentDataSource, ...AgentDataSource[]]
  /** What its agents reported last; null: none has answered since the page was loaded. */
  readonly row: RolloutRow | null
  /** Why none of its agents answers now; null: one does. */
  readonly error: AgentError | null
  readonly failingSince: Date | null
}
