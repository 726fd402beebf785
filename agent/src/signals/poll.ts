import { SignalUnknownError } from './reading.ts'

/** A value that is refreshed in the background and read from memory. */
export interface Poll<T> {
  /** The last value with its time, or unknown when it is older than its limit. Never waits. */
  read(): T
  start(): void
  stop(): void
  /** From its next turn on. How old a value may be stays as it is. */
  setIntervalMs(milliseconds: number): void
}

export interface PollOptions<T> {
  readonly intervalMs: number
  /** A value older than this is unknown. Default: three intervals. */
  readonly maximumAgeMs?: number
  readonly now: () => number
  /** Reads once; must settle by itself within a bounded time. */
  readonly refresh: () => Promise<T>
  /** The value that says why nothing is known. */
  readonly unknown: (sentence: string) => T
}

/**
 * Calls `refresh` every interval, one call at a time. A call that fails keeps the last value until that is too old; one
 * that throws SignalUnknown makes it unknown at once.
 */
export function createPoll<T>(options: PollOptions<T>): Poll<T> {
  const { now, refresh, unknown } = options
  const maximumAgeMs = options.maximumAgeMs ?? 3 * options.intervalMs
  let intervalMs = options.intervalMs
  let last: { value: T; at: number } | undefined
  let problem = 'it has not been read yet'
  let timer: NodeJS.Timeout | undefined
  // A turn that outlives a stop and a new start must not start a second chain of turns.
  let chain = 0
  let running = false

  async function runOnce(ownChain: number): Promise<void> {
    const startedAt = now()
    try {
      const value = await refresh()
      if (ownChain === chain) last = { value, at: startedAt }
    } catch (error) {
      if (ownChain !== chain) return
      problem = error instanceof Error ? error.message : String(error)
      if (error instanceof SignalUnknownError) last = undefined
    }
    if (ownChain !== chain || !running) return
    timer = setTimeout(() => void runOnce(ownChain), Math.max(0, intervalMs - (now() - startedAt))).unref()
  }

  return {
    read() {
      if (!last) return unknown(problem)
      const age = now() - last.at
      if (age <= maximumAgeMs) return last.value
      return unknown(`it was last read ${Math.round(age / 1000)} s ago: ${problem}`)
    },
    start() {
      if (running) return
      running = true
      chain++
      void runOnce(chain)
    },
    stop() {
      running = false
      chain++
      last = undefined
      problem = 'it is not being read now'
      clearTimeout(timer)
    },
    setIntervalMs(milliseconds) {
      intervalMs = milliseconds
    },
  }
}
