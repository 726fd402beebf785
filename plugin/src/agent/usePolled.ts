import { useCallback, useEffect, useRef, useState } from 'react'
import { type AgentError, toAgentError } from './AgentError'

/** Something runs: look often. Nothing runs: look seldom. */
export const RUNNING_MS = 2_000
export const QUIET_MS = 10_000

export interface Polled<T> {
  /** The last good answer; it stays while later ones fail. */
  readonly data: T | null
  /** Why the last question failed, or null. */
  readonly error: AgentError | null
  /** Since when answers have been missing. */
  readonly failingSince: Date | null
  readonly refresh: () => void
}

type State<T> = Omit<Polled<T>, 'refresh'> & { readonly key: string | null }
const nothing = { key: null, data: null, error: null, failingSince: null }

/**
 * Asks again and again while the page is visible. `key` names what is asked; null asks nothing, another key forgets the
 * old answer. A question is never started while the one before it is under way.
 */
export function usePolled<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
  pause: (data: T | null) => number = () => QUIET_MS,
): Polled<T> {
  const [state, setState] = useState<State<T>>(nothing)
  const latest = useRef({ ask, pause })
  const wake = useRef<() => void>(() => {})
  useEffect(() => {
    latest.current = { ask, pause }
  })

  useEffect(() => {
    if (key === null) return
    const leaving = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking = false
    let again = false
    let data: T | null = null

    const round = async () => {
      clearTimeout(timer)
      if (asking) {
        again = true
        return
      }
      asking = true
      try {
        data = await latest.current.ask(leaving.signal)
        if (!leaving.signal.aborted) setState({ key, data, error: null, failingSince: null })
      } catch (thrown) {
        if (!leaving.signal.aborted) {
          const error = toAgentError(thrown, 'The agent', 0)
          setState((old) =>
            old.key === key
              ? { ...old, error, failingSince: old.failingSince ?? new Date() }
              : { key, data: null, error, failingSince: new Date() },
          )
        }
      }
      asking = false
      if (leaving.signal.aborted || document.visibilityState === 'hidden') return
      timer = setTimeout(round, again ? 0 : latest.current.pause(data))
      again = false
    }
    const visible = () => {
      if (document.visibilityState === 'visible') void round()
    }
    wake.current = () => void round()
    document.addEventListener('visibilitychange', visible)
    void round()
    return () => {
      leaving.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', visible)
    }
  }, [key])

  const refresh = useCallback(() => wake.current(), [])
  const { data, error, failingSince } = state.key === key ? state : nothing
  return { data, error, failingSince, refresh }
}
