/** How often the rule that always fires is sent again. */
const WATCHDOG_INTERVAL_SECONDS = 60
/** Not seen for so many of its intervals, the path of alerts is not live. */
const MAX_MISSED_INTERVALS = 3

/** Whether alerts reach this agent from end to end; from memory, so nothing is known after a start. */
export interface AlertWatchdog {
  recordHeartbeat(): void
  /** Milliseconds since 1970; null: not since the agent started. */
  lastSeenAt(): number | null
  isLive(): boolean
}

export function createAlertWatchdog(now: () => number = Date.now): AlertWatchdog {
  let lastSeenAt: number | null = null
  return {
    recordHeartbeat() {
      lastSeenAt = now()
    },
    lastSeenAt: () => lastSeenAt,
    isLive: () => lastSeenAt !== null && now() - lastSeenAt <= MAX_MISSED_INTERVALS * WATCHDOG_INTERVAL_SECONDS * 1_000,
  }
}
