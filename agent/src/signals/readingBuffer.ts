import type { TimedValue } from './prometheusClient.ts'
import type { StatementInterval } from './queryTime.ts'

/** The agent's own readings of the last hour, in memory. */
export interface RecentReadings {
  /** Every signal of a rollout with recent readings. */
  signalNames(rollout: string): readonly string[]
  /** Readings after an instant (milliseconds since 1970), oldest first. */
  readings(rollout: string, signal: string, after: number): readonly TimedValue[]
  /** Intervals of pg_stat_statements that ended after an instant, oldest first. */
  statementIntervals(after: number): readonly StatementInterval[]
}

/** The writable side of the recent readings. */
export interface ReadingBuffer extends RecentReadings {
  /** Ignores a reading that is not newer than the last one of its signal: it is the same reading. */
  add(rollout: string, signal: string, reading: TimedValue): void
  addStatements(interval: StatementInterval): void
}

const RETENTION_MS = 3_600_000

export function createReadingBuffer(): ReadingBuffer {
  const rollouts = new Map<string, Map<string, TimedValue[]>>()
  const intervals: StatementInterval[] = []
  return {
    signalNames: (rollout) => [...(rollouts.get(rollout)?.keys() ?? [])],
    readings: (rollout, signal, after) => (rollouts.get(rollout)?.get(signal) ?? []).filter(({ at }) => at > after),
    statementIntervals: (after) => intervals.filter(({ at }) => at > after),
    add(rollout, signal, reading) {
      let signals = rollouts.get(rollout)
      if (!signals) rollouts.set(rollout, (signals = new Map<string, TimedValue[]>()))
      let buffered = signals.get(signal)
      if (!buffered) signals.set(signal, (buffered = []))
      if (reading.at <= (buffered.at(-1)?.at ?? -Infinity)) return
      buffered.push(reading)
      discardExpired(buffered)
    },
    addStatements(interval) {
      intervals.push(interval)
      discardExpired(intervals)
    },
  }
}

function discardExpired(entries: { readonly at: number }[]): void {
  const oldest = entries.at(-1)!.at - RETENTION_MS
  while (entries[0]!.at < oldest) entries.shift()
}
