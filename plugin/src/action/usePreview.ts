import type { OperationRequest, OperationPreview } from '@sti-rollout/agent/contract'
import { useEffect, useState } from 'react'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { previewOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'

interface PreviewState {
  readonly key: string
  readonly preview: OperationPreview | null
  readonly error: AgentError | null
}

/** The agent's preview of a request; it is loaded again 300 ms after the request changed. */
export function usePreview(environment: Environment, rollout: string, operationRequest: OperationRequest) {
  const key = JSON.stringify([environment.agent.uid, rollout, operationRequest])
  const [state, setState] = useState<PreviewState | null>(null)
  useEffect(() => {
    const abortController = new AbortController()
    const [, , request] = JSON.parse(key) as [string, string, OperationRequest]
    const timer = setTimeout(
      () =>
        previewOperation(environment.agent, rollout, request, abortController.signal)
          .then((answer) => ({ key, preview: answer, error: null }))
          .catch((thrown: unknown) => ({ key, preview: null, error: toAgentError(thrown, environment.agent.name, 0) }))
          .then((next) => !abortController.signal.aborted && setState(next)),
      state === null ? 0 : 300,
    )
    return () => {
      clearTimeout(timer)
      abortController.abort()
    }
    // Only a changed request loads the preview again; `state` only decides about the delay.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key])
  return { preview: state?.preview ?? null, error: state?.error ?? null, current: state?.key === key }
}
