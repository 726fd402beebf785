import { SignalUnknown } from './reading.ts'

/** A value that is refreshed in the background and read from memory. */
export interface Poll<T> {
  /** The last value with its time, or unknown when it is older than its limit. Never waits. */
  read(): T
  start(): void
  stop(): void
  /** From its next turn on. How old a value may be stays as it is. */
  every(milliseconds: number): void
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
export function poll<T>(options: PollOptions<T>): Poll<T> {
  const { now, refresh, unknown } = options
  const maximumAgeMs = options.maximumAgeMs ?? 3 * options.intervalMs
  let intervalMs = options.intervalMs
  let last: { value: T; at: number } | undefined
  let problem = 'it has not been read yet'
  let timer: NodeJS.Timeout | undefined
  // A turn that outlives a stop and a new start must not start a second chain of turns.
  let chain = 0
  let running = false

  async function turn(mine: number): Promise<void> {
    const began = now()
    try {
      const value = await refresh()
      if (mine === chain) last = { value, at: began }
    } catch (error) {
      if (mine !== chain) return
      problem = error instanceof Error ? error.message : String(error)
      if (error instanceof SignalUnknown) last = undefined
    }
    if (mine !== chain || !running) return
    timer = setTimeout(() => void turn(mine), Math.max(0, intervalMs - (now() - began))).unref()
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
      void turn(chain)
    },
    stop() {
      running = false
      chain++
      last = undefined
      problem = 'it is not being read now'
      clearTimeout(timer)
    },
    every(milliseconds) {
      intervalMs = milliseconds
    },
  }
}
