/** How often the watchdog alert is re-sent. */
const WATCHDOG_INTERVAL_SECONDS = 60
/** After this many missed intervals, alerts count as not reaching the agent. */
const MAX_MISSED_INTERVALS = 3
const PATIENCE_MS = MAX_MISSED_INTERVALS * WATCHDOG_INTERVAL_SECONDS * 1_000

/** Tracks if alerts reach this agent end to end; in memory, so unknown after a start. */
export interface AlertWatchdog {
  recordHeartbeat(): void
  /** Milliseconds since 1970; null: not seen since the agent started. */
  lastSeenAt(): number | null
  isLive(): boolean
  /** True while the first heartbeat can still be on its way, since the agent has just started. */
  isStarting(): boolean
}

export function createAlertWatchdog(now: () => number = Date.now): AlertWatchdog {
  let lastSeenAt: number | null = null
  const startedAt = now()
  return {
    recordHeartbeat() {
      lastSeenAt = now()
    },
    lastSeenAt: () => lastSeenAt,
    isLive: () => lastSeenAt !== null && now() - lastSeenAt <= PATIENCE_MS,
    isStarting: () => lastSeenAt === null && now() - startedAt <= PATIENCE_MS,
  }
}
