import type { Poll } from './poll.ts'

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
