import type { TimedValue } from './prometheus.ts'
import type { StatementInterval } from './statements.ts'

/** What the agent itself has read lately, in memory: at most an hour of it. */
export interface Recent {
  /** Every signal of a rollout that has been read lately. */
  names(rollout: string): readonly string[]
  /** Readings after an instant (milliseconds since 1970), the oldest first. */
  of(rollout: string, signal: string, after: number): readonly TimedValue[]
  /** Intervals of pg_stat_statements that ended after an instant, the oldest first. */
  statements(after: number): readonly StatementInterval[]
}

/** Where readings are put in. */
export interface Recording extends Recent {
  /** A reading that is not newer than the last one of its signal is the same one, seen again. */
  add(rollout: string, signal: string, reading: TimedValue): void
  addStatements(interval: StatementInterval): void
}

const KEPT_MS = 3_600_000

export function createRecording(): Recording {
  const rollouts = new Map<string, Map<string, TimedValue[]>>()
  const intervals: StatementInterval[] = []
  return {
    names: (rollout) => [...(rollouts.get(rollout)?.keys() ?? [])],
    of: (rollout, signal, after) => (rollouts.get(rollout)?.get(signal) ?? []).filter(({ at }) => at > after),
    statements: (after) => intervals.filter(({ at }) => at > after),
    add(rollout, signal, reading) {
      let signals = rollouts.get(rollout)
      if (!signals) rollouts.set(rollout, (signals = new Map<string, TimedValue[]>()))
      let kept = signals.get(signal)
      if (!kept) signals.set(signal, (kept = []))
      if (reading.at <= (kept.at(-1)?.at ?? -Infinity)) return
      kept.push(reading)
      dropOld(kept)
    },
    addStatements(interval) {
      intervals.push(interval)
      dropOld(intervals)
    },
  }
}

function dropOld(kept: { readonly at: number }[]): void {
  const oldest = kept.at(-1)!.at - KEPT_MS
  while (kept[0]!.at < oldest) kept.shift()
}
