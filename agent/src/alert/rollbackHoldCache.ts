import type { RollbackHold } from './rollbackHoldStore.ts'

/** The holds as they were read last, so that a decision waits for no database. One ends by itself. */
export interface RollbackHoldCache {
  /** Null: the database says that there is none. */
  set(rollout: string, hold: RollbackHold | null): void
  /** Null: automatic rollback is armed; undefined: it has not been read since the agent started. */
  get(rollout: string): RollbackHold | null | undefined
  isArmed(rollout: string): boolean | null
}

export function createRollbackHoldCache(now: () => number = Date.now): RollbackHoldCache {
  const holds = new Map<string, RollbackHold | null>()
  const currentHold: RollbackHoldCache['get'] = (rollout) => {
    const hold = holds.get(rollout)
    return hold && hold.until.getTime() <= now() ? null : hold
  }
  return {
    set: (rollout, hold) => void holds.set(rollout, hold),
    get: currentHold,
    isArmed(rollout) {
      const hold = currentHold(rollout)
      return hold === undefined ? null : hold === null
    },
  }
}
