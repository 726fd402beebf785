import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { useOutletContext } from 'react-router-dom'
import type { AgentError } from '../agent/AgentError'
import type { Environment } from '../agent/useEnvironment'

/** What every tab of a rollout renders: one answer of the agent. */
export interface RolloutContext {
  /** The name of the environment in the URL. */
  readonly name: string
  readonly rollout: string
  readonly environment: Environment | null
  readonly detail: RolloutDetail | null
  readonly error: AgentError | null
  readonly refresh: () => void
}

/** The rollout of the page that this tab belongs to. */
export const useRolloutContext = (): RolloutContext => useOutletContext<RolloutContext>()
