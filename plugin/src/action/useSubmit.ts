import { useState } from 'react'
import { type AgentError, toAgentError } from '../agent/AgentError'

export interface SubmitState {
  readonly busy: boolean
  /** The error of the last attempt; the confirmation shows it and stays open. */
  readonly error: AgentError | null
  readonly send: () => void
}

/** Sends a request and keeps its error for the confirmation to show. */
export function useSubmit<T>(work: () => Promise<T>, onDone: (answer: T) => void): SubmitState {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<AgentError | null>(null)
  const send = () => {
    setBusy(true)
    setError(null)
    work().then(onDone, (thrown: unknown) => {
      setError(toAgentError(thrown, 'The agent', 0))
      setBusy(false)
    })
  }
  return { busy, error, send }
}
