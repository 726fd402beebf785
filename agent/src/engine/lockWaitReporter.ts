import { describeHolders, holdersKey } from '../database/lockHolders.ts'
import type { RunContext } from '../kind/kind.ts'
import type { LockWaitHooks } from './rangeWalk.ts'

/** Shows who holds the lock that a walk waits for: as the step of its operation, and as an event for each holder. */
export function createLockWaitReporter(run: RunContext, step: string): LockWaitHooks {
  let reportedKey = ''
  return {
    observer: run.database.state,
    async onBlockers(holders) {
      const key = holdersKey(holders)
      if (key === reportedKey) return
      reportedKey = key
      const message = `${step}: waiting for a lock held by ${describeHolders(holders)}`
      run.setStep(key === '' ? step : message)
      if (key !== '') await run.recordEvent('wait', message)
    },
  }
}
