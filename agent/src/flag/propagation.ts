import { isUpToDate, type ClientRegistry, type VersionMark } from './clientRegistry.ts'

/** Measures how long one change of a flag takes until every client that was live at the change has received it. */
export interface PropagationTracker {
  /** Starts with a change at `changedAt` (ms) and ends the previous measurement. `report`: calls the listener. */
  begin(changedAt: number, clients: ClientRegistry, current: VersionMark, report: boolean): void
  recordSeen(client: string): void
  /** Stops waiting for clients that are no longer live or have sent requests to another agent. */
  review(clients: ClientRegistry, current: VersionMark): void
  lastSeconds(): number | null
}

export function createPropagationTracker(now: () => number, listener: (seconds: number) => void): PropagationTracker {
  let change: { changedAt: number; waiting: Set<string>; lastSeenAt: number | null; report: boolean } | null = null
  let lastPropagationSeconds: number | null = null

  function finish(): void {
    if (!change || change.waiting.size > 0) return
    const { changedAt, lastSeenAt, report } = change
    change = null
    if (lastSeenAt === null) return
    lastPropagationSeconds = Math.max(0, lastSeenAt - changedAt) / 1000
    if (report) listener(lastPropagationSeconds)
  }

  return {
    begin(changedAt, clients, current, report) {
      const waiting = [...clients.liveClients()].filter(([, mark]) => !isUpToDate(mark, current)).map(([name]) => name)
      change = { changedAt, waiting: new Set(waiting), lastSeenAt: null, report }
      finish()
    },
    recordSeen(client) {
      if (!change?.waiting.delete(client)) return
      change.lastSeenAt = now()
      finish()
    },
    review(clients, current) {
      if (!change) return
      const live = clients.liveClients()
      for (const client of change.waiting) {
        const mark = live.get(client)
        if (mark && !isUpToDate(mark, current)) continue
        change.waiting.delete(client)
        if (mark) change.lastSeenAt = now()
      }
      finish()
    },
    lastSeconds: () => lastPropagationSeconds,
  }
}
