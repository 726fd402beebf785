import { isConnectionError, errorMessage, errorMessageWithHint } from './errors.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { Database } from './connect.ts'
import { checkDatabaseIdentity } from './databaseIdentity.ts'
import { findNewerVersion, migrate } from './migrate.ts'
import { SessionRefusedError } from './sessionRefused.ts'

export interface DatabaseMonitor {
  start(): void
  stop(): Promise<void>
  /** Checks the database immediately. */
  checkNow(): Promise<void>
  /**
   * The reasons why no operation may be claimed; empty if the database is available, migrated, writable, and belongs
   * to this environment.
   */
  unavailableReasons(): readonly string[]
  foreignState(): string | null
  /** Identifies the database among all others; null until it has been reached. */
  databaseName(): string | null
  /** @throws DatabaseAwayError until schema `sti` has been found in the database */
  assertReady(): void
}

/** The database has not been reached since the agent started. */
export class DatabaseUnavailableError extends Error {
  readonly code = 'database-away'
}

const CHECK_INTERVAL_MS = 2_000

/**
 * Migrates the database as soon as it is available, and keeps checking that it is available and belongs to this
 * environment. The agent starts and keeps running without the database.
 */
export function createDatabaseMonitor(options: {
  readonly database: Database
  readonly environment: string
  readonly subscriberReady: boolean
  readonly log: Log
  /** Called with null if the state belongs to this environment, otherwise with the reason why this is not known. */
  readonly onIdentity: (reason: string | null) => void
}): DatabaseMonitor {
  const { database, environment, log } = options
  let migrated = false
  let identityChecked = false
  let fault: string | null = 'The database has not been reached yet.'
  let foreignStateReason: string | null = null
  let databaseName: string | null = null

  const setFault = (sentence: string | null): void => {
    if (sentence === fault) return
    fault = sentence
    log(
      sentence === null
        ? { level: 'info', message: 'the database is available' }
        : { level: 'warning', message: sentence },
    )
  }
  const check = async (): Promise<void> => {
    try {
      await database.recheckPooling()
      if (!migrated) await migrate(database, options.subscriberReady)
      migrated = true
      const identity = await checkDatabaseIdentity(database.state, environment)
      foreignStateReason = identity.foreignState
      databaseName = identity.database
      identityChecked = true
      options.onIdentity(foreignStateReason)
      const [server] = await database.state<{ standby: boolean }[]>`select /* sti */ pg_is_in_recovery() as standby`
      setFault(
        foreignStateReason ??
          (await findNewerVersion(database.state)) ??
          (server!.standby ? 'The database is a standby: point the agent at the primary.' : null),
      )
    } catch (error) {
      if (error instanceof SessionRefusedError) return setFault(error.message)
      setFault(
        isConnectionError(error)
          ? `The database cannot be reached: ${errorMessage(error)}.`
          : `The database cannot be used: ${errorMessageWithHint(error)}`,
      )
    }
  }
  const interval = createInterval({
    intervalMs: CHECK_INTERVAL_MS,
    run: check,
    onError: (error) => setFault(`The database could not be checked: ${errorMessage(error)}`),
  })
  return {
    start: interval.start,
    stop: interval.stop,
    checkNow: interval.runNow,
    unavailableReasons: () => (fault === null ? [] : [fault]),
    foreignState: () => foreignStateReason,
    databaseName: () => databaseName,
    assertReady() {
      if (!identityChecked) throw new DatabaseUnavailableError(fault ?? 'The database has not been reached yet.')
    },
  }
}
