import { errorMessage } from '../database/errors.ts'
import { formatDuration } from '../format/format.ts'
import { createInterval } from '../interval.ts'
import { SignalUnknownError } from './reading.ts'

/** A value that is refreshed in the background and read from memory. */
export interface Poll<T> {
  /** The last value, or unknown if it is older than its maximum age. Never waits. */
  read(): T
  start(): void
  /** Forgets the value. A refresh in flight ends within its own time limit, and its value is discarded. */
  stop(): void
  /** Takes effect after the next refresh. The maximum age of a value does not change. */
  setIntervalMs(milliseconds: number): void
}

interface PollOptions<T> {
  readonly intervalMs: number
  /** A value older than this is unknown. Default: three intervals. */
  readonly maximumAgeMs?: number
  readonly now: () => number
  /** Reads once; must settle within a bounded time. */
  readonly refresh: () => Promise<T>
  /** The value for a reason why nothing is known. */
  readonly unknown: (sentence: string) => T
}

/**
 * Calls `refresh` every interval, one call at a time. A failed call keeps the last value until that is too old; a
 * call that throws SignalUnknownError makes it unknown immediately.
 */
export function createPoll<T>(options: PollOptions<T>): Poll<T> {
  const { now, refresh, unknown } = options
  const maximumAgeMs = options.maximumAgeMs ?? 3 * options.intervalMs
  let last: { value: T; at: number } | undefined
  let problem = 'it has not been read yet'
  /** A refresh that outlives a stop belongs to an earlier generation: its result is discarded. */
  let generation = 0

  const interval = createInterval({
    intervalMs: options.intervalMs,
    async run() {
      const [startedAt, ownGeneration] = [now(), generation]
      try {
        const value = await refresh()
        if (ownGeneration === generation) last = { value, at: startedAt }
      } catch (error) {
        if (ownGeneration !== generation) return
        problem = errorMessage(error)
        if (error instanceof SignalUnknownError) last = undefined
      }
    },
    onError: (error) => (problem = errorMessage(error)),
  })

  return {
    read() {
      if (!last) return unknown(problem)
      const age = now() - last.at
      if (age <= maximumAgeMs) return last.value
      return unknown(`it was last read ${formatDuration(Math.round(age / 1000))} ago: ${problem}`)
    },
    start: interval.start,
    stop() {
      generation++
      last = undefined
      problem = 'it is not being read now'
      void interval.stop()
    },
    setIntervalMs: interval.setIntervalMs,
  }
}

/** Runs polls while anybody watches: they start with the first watcher and stop with the last. */
export function createRefCountedPolls(polls: readonly Poll<unknown>[]): () => () => void {
  let watchers = 0
  return () => {
    if (watchers++ === 0) for (const poll of polls) poll.start()
    let watching = true
    return () => {
      if (!watching) return
      watching = false
      if (--watchers === 0) for (const poll of polls) poll.stop()
    }
  }
}
