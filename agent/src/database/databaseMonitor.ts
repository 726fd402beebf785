import { isConnectionError, errorMessage } from './errors.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { Database } from './connect.ts'
import { checkDatabaseIdentity } from './databaseIdentity.ts'
import { migrate } from './migrate.ts'

export interface DatabaseMonitor {
  start(): void
  stop(): Promise<void>
  /** Looks again at once. */
  checkNow(): Promise<void>
  /** Why nothing may be claimed; empty: the database is there, migrated, ours, and writable. */
  unavailableReasons(): readonly string[]
  foreignState(): string | null
  /** @throws DatabaseAway while our schema has not been seen in it yet */
  assertReady(): void
}

/** The database has not been reached since the agent started. */
export class DatabaseUnavailableError extends Error {
  readonly code = 'database-away'
}

const CHECK_INTERVAL_MS = 2_000

/**
 * Brings the database to our schema as soon as it can be reached, and keeps looking whether it is still there and
 * still ours. The agent boots and stays without it.
 */
export function createDatabaseMonitor(options: {
  readonly database: Database
  readonly environment: string
  readonly subscriberReady: boolean
  readonly log: Log
  /** Called with null when the state is ours, else with the reason why it is not known to be. */
  readonly onIdentity: (reason: string | null) => void
}): DatabaseMonitor {
  const { database, environment, log } = options
  let migrated = false
  let identityChecked = false
  let fault: string | null = 'The database has not been reached yet.'
  let foreignStateReason: string | null = null

  const setFault = (sentence: string | null): void => {
    if (sentence === fault) return
    fault = sentence
    log(
      sentence === null ? { level: 'info', message: 'the database is there' } : { level: 'warning', message: sentence },
    )
  }
  const check = async (): Promise<void> => {
    try {
      if (!migrated) await migrate(database, options.subscriberReady)
      migrated = true
      foreignStateReason = await checkDatabaseIdentity(database.state, environment)
      identityChecked = true
      options.onIdentity(foreignStateReason)
      const [server] = await database.state<{ standby: boolean }[]>`select /* sti */ pg_is_in_recovery() as standby`
      setFault(
        foreignStateReason ?? (server!.standby ? 'The database is a standby: point the agent at the primary.' : null),
      )
    } catch (error) {
      const away = isConnectionError(error)
      setFault(
        away
          ? `The database cannot be reached: ${errorMessage(error)}.`
          : `The database cannot be used: ${errorMessage(error)}`,
      )
    }
  }
  const interval = createInterval({ intervalMs: CHECK_INTERVAL_MS, run: check })
  return {
    start: interval.start,
    stop: interval.stop,
    checkNow: interval.runNow,
    unavailableReasons: () => (fault === null ? [] : [fault]),
    foreignState: () => foreignStateReason,
    assertReady() {
      if (!identityChecked) throw new DatabaseUnavailableError(fault ?? 'The database has not been reached yet.')
    },
  }
}
