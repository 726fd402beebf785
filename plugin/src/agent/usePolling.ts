import { useCallback, useEffect, useRef, useState } from 'react'
import { type AgentError, toAgentError } from './AgentError'

/** Data that changes quickly, such as a running operation, is polled more often. */
export const ACTIVE_POLL_INTERVAL_MS = 2_000
export const IDLE_POLL_INTERVAL_MS = 10_000
/** Data that rarely changes, such as what stands beside the rollout itself (`useSlowPolling`). */
export const SLOW_POLL_INTERVAL_MS = 60_000

export interface PollingResult<T> {
  /** The latest successful answer; it is kept while later requests fail. */
  readonly data: T | null
  /** The error of the latest request, or null. */
  readonly error: AgentError | null
  /** When the first of the consecutive failures happened. */
  readonly failingSince: Date | null
  readonly refresh: () => void
}

type PollingState<T> = Omit<PollingResult<T>, 'refresh'> & { readonly key: string | null }
const EMPTY_STATE = { key: null, data: null, error: null, failingSince: null }

/**
 * Polls while the page is visible. `key` identifies the data: null stops polling, and another key drops the old answer.
 * A request never starts while the previous one is in flight.
 */
export function usePolling<T>(
  key: string | null,
  fetchData: (signal: AbortSignal) => Promise<T>,
  intervalMs: (data: T | null) => number = () => IDLE_POLL_INTERVAL_MS,
): PollingResult<T> {
  const [state, setState] = useState<PollingState<T>>(EMPTY_STATE)
  const latest = useRef({ fetchData, intervalMs })
  const wake = useRef<() => void>(() => {})
  useEffect(() => {
    latest.current = { fetchData, intervalMs }
  })

  useEffect(() => {
    if (key === null) return
    const abortController = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let polling = false
    let pollAgain = false
    let data: T | null = null

    const poll = async () => {
      clearTimeout(timer)
      // A page that becomes visible polls at once.
      if (document.visibilityState === 'hidden') return
      if (polling) {
        pollAgain = true
        return
      }
      polling = true
      try {
        data = await latest.current.fetchData(abortController.signal)
        if (!abortController.signal.aborted) setState({ key, data, error: null, failingSince: null })
      } catch (thrown) {
        if (!abortController.signal.aborted) {
          const error = toAgentError(thrown, 'The agent', 0)
          setState((old) =>
            old.key === key
              ? { ...old, error, failingSince: old.failingSince ?? new Date() }
              : { key, data: null, error, failingSince: new Date() },
          )
        }
      }
      polling = false
      if (abortController.signal.aborted) return
      timer = setTimeout(poll, pollAgain ? 0 : latest.current.intervalMs(data))
      pollAgain = false
    }
    const onVisibilityChange = () => {
      if (document.visibilityState === 'visible') void poll()
    }
    wake.current = () => void poll()
    document.addEventListener('visibilitychange', onVisibilityChange)
    void poll()
    return () => {
      abortController.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisibilityChange)
    }
  }, [key])

  const refresh = useCallback(() => wake.current(), [])
  const { data, error, failingSince } = state.key === key ? state : EMPTY_STATE
  return { data, error, failingSince, refresh }
}

/**
 * Data beside the rollout itself, which changes when an operation ends or a person acts: polled slowly, and at once when
 * `revision` changes.
 */
export function useSlowPolling<T>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<T>,
  revision: string | null = null,
): PollingResult<T> {
  const poll = usePolling(key, load, () => SLOW_POLL_INTERVAL_MS)
  useRefreshOnChange(revision, poll.refresh)
  return poll
}

/** Loads again at once when `value` changes, such as the state of the newest operation; null: it is not known yet. */
export function useRefreshOnChange(value: string | null, refresh: () => void): void {
  const known = useRef(value)
  useEffect(() => {
    if (known.current !== null && value !== null && known.current !== value) refresh()
    known.current = value ?? known.current
  }, [value, refresh])
}
