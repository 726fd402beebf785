import { hasSeen, type Clients, type Mark } from './clients.ts'

/** Follows one change of a flag until the last client that was live when it was made has asked after it. */
export interface Propagation {
  /** A change was made at `changedAt` (ms); `report`: whether the listener hears of it. It replaces the one before. */
  begin(changedAt: number, clients: Clients, current: Mark, report: boolean): void
  seen(client: string): void
  /** Stops waiting for clients that are live no more, or have asked another agent. */
  review(clients: Clients, current: Mark): void
  lastSeconds(): number | null
}

export function createPropagation(now: () => number, listener: (seconds: number) => void): Propagation {
  let change: { changedAt: number; waiting: Set<string>; lastSeenAt: number | null; report: boolean } | null = null
  let last: number | null = null

  function finish(): void {
    if (!change || change.waiting.size > 0) return
    const { changedAt, lastSeenAt, report } = change
    change = null
    if (lastSeenAt === null) return
    last = Math.max(0, lastSeenAt - changedAt) / 1000
    if (report) listener(last)
  }

  return {
    begin(changedAt, clients, current, report) {
      const waiting = [...clients.live()].filter(([, mark]) => !hasSeen(mark, current)).map(([name]) => name)
      change = { changedAt, waiting: new Set(waiting), lastSeenAt: null, report }
      finish()
    },
    seen(client) {
      if (!change?.waiting.delete(client)) return
      change.lastSeenAt = now()
      finish()
    },
    review(clients, current) {
      if (!change) return
      const live = clients.live()
      for (const client of change.waiting) {
        const mark = live.get(client)
        if (mark && !hasSeen(mark, current)) continue
        change.waiting.delete(client)
        if (mark) change.lastSeenAt = now()
      }
      finish()
    },
    lastSeconds: () => last,
  }
}
