import type { Hold } from './hold.ts'

/** The holds as they were read last, so that a decision waits for no database. One ends by itself. */
export interface Holds {
  /** Null: the database says that there is none. */
  set(rollout: string, hold: Hold | null): void
  /** Null: automatic rollback is armed; undefined: it has not been read since the agent started. */
  of(rollout: string): Hold | null | undefined
  armed(rollout: string): boolean | null
}

export function createHolds(now: () => number = Date.now): Holds {
  const holds = new Map<string, Hold | null>()
  const of: Holds['of'] = (rollout) => {
    const hold = holds.get(rollout)
    return hold && hold.until.getTime() <= now() ? null : hold
  }
  return {
    set: (rollout, hold) => void holds.set(rollout, hold),
    of,
    armed(rollout) {
      const hold = of(rollout)
      return hold === undefined ? null : hold === null
    },
  }
}
