import type { RollbackPause } from './rollbackPauseStore.ts'

/** The pauses of automatic rollback as last read, so that no decision waits for the database. A pause ends on time. */
export interface RollbackPauseCache {
  /** Null: the database has no pause. */
  set(rollout: string, pause: RollbackPause | null): void
  /** Null: automatic rollback is armed; undefined: not read since the agent started. */
  get(rollout: string): RollbackPause | null | undefined
  isArmed(rollout: string): boolean | null
}

export function createRollbackPauseCache(now: () => number = Date.now): RollbackPauseCache {
  const pauses = new Map<string, RollbackPause | null>()
  const currentPause: RollbackPauseCache['get'] = (rollout) => {
    const pause = pauses.get(rollout)
    return pause && pause.until.getTime() <= now() ? null : pause
  }
  return {
    set: (rollout, pause) => void pauses.set(rollout, pause),
    get: currentPause,
    isArmed(rollout) {
      const pause = currentPause(rollout)
      return pause === undefined ? null : pause === null
    },
  }
}
