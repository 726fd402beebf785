/** How often the rule that always fires is sent again. */
const WATCHDOG_SECONDS = 60
/** Not seen for so many of its intervals, the path of alerts is not live. */
const INTERVALS = 3

/** Whether alerts reach this agent from end to end; from memory, so nothing is known after a start. */
export interface AlertPath {
  saw(): void
  /** Milliseconds since 1970; null: not since the agent started. */
  seenAt(): number | null
  live(): boolean
}

export function createAlertPath(now: () => number = Date.now): AlertPath {
  let seenAt: number | null = null
  return {
    saw() {
      seenAt = now()
    },
    seenAt: () => seenAt,
    live: () => seenAt !== null && now() - seenAt <= INTERVALS * WATCHDOG_SECONDS * 1_000,
  }
}
