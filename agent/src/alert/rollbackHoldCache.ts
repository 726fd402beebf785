import type { RollbackHold } from './rollbackHoldStore.ts'

/** The pauses of automatic rollback as last read, so that no decision waits for the database. A pause ends on time. */
export interface RollbackHoldCache {
  /** Null: the database has no pause. */
  set(rollout: string, hold: RollbackHold | null): void
  /** Null: automatic rollback is armed; undefined: not read since the agent started. */
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
