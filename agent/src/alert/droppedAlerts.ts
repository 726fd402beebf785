import type { Log } from '../log.ts'
import { DROP_REASONS, type DropReason } from '../metrics/metricsSource.ts'

/** A flood ends once nothing was dropped for so long. */
const FLOOD_ENDS_AFTER_MS = 60_000

/** Counts alerts and writes that were dropped, and logs when that begins and when it has ended. */
export interface DroppedAlerts {
  add(reason: DropReason, count: number): void
  counts(): Readonly<Record<DropReason, number>>
  stop(): void
}

export function createDroppedAlerts(log: Log): DroppedAlerts {
  const counts = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>
  let flood: { readonly end: NodeJS.Timeout; count: number } | null = null

  function endFlood(): void {
    if (flood === null) return
    clearTimeout(flood.end)
    log({ level: 'warning', message: `${flood.count} alerts or writes were dropped` })
    flood = null
  }

  return {
    add(reason, count) {
      if (count === 0) return
      counts[reason] += count
      if (flood === null) {
        log({ level: 'error', message: 'Alerts are being dropped; sti_alerts_dropped_total counts them', reason })
        flood = { end: setTimeout(endFlood, FLOOD_ENDS_AFTER_MS).unref(), count: 0 }
      }
      flood.count += count
      flood.end.refresh()
    },
    counts: () => counts,
    stop: endFlood,
  }
}
