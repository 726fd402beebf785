import { isAway, messageOf } from '../engine/errors.ts'
import type { Log } from '../log.ts'
import type { Database } from './connect.ts'
import { checkIdentity } from './identity.ts'
import { migrate } from './migrate.ts'

export interface DatabaseWatch {
  start(): void
  stop(): Promise<void>
  /** Looks again at once. */
  look(): Promise<void>
  /** Why nothing may be claimed; empty: the database is there, migrated, ours, and writable. */
  faults(): readonly string[]
  foreignState(): string | null
  /** @throws DatabaseAway while our schema has not been seen in it yet */
  demand(): void
}

/** The database has not been reached since the agent started. */
export class DatabaseAway extends Error {
  readonly code = 'database-away'
}

const EVERY_MS = 2_000

/**
 * Brings the database to our schema as soon as it can be reached, and keeps looking whether it is still there and
 * still ours. The agent boots and stays without it.
 */
export function watchDatabase(parts: {
  readonly database: Database
  readonly environment: string
  readonly subscriberReady: boolean
  readonly log: Log
  /** Called with null when the state is ours, else with the reason why it is not known to be. */
  readonly onIdentity: (reason: string | null) => void
}): DatabaseWatch {
  const { database, environment, log } = parts
  let migrated = false
  let seen = false
  let fault: string | null = 'The database has not been reached yet.'
  let foreign: string | null = null
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | null = null

  const say = (sentence: string | null): void => {
    if (sentence === fault) return
    fault = sentence
    log(
      sentence === null ? { level: 'info', message: 'the database is there' } : { level: 'warning', message: sentence },
    )
  }
  const once = async (): Promise<void> => {
    try {
      if (!migrated) await migrate(database, parts.subscriberReady)
      migrated = true
      foreign = await checkIdentity(database.state, environment)
      seen = true
      parts.onIdentity(foreign)
      const [server] = await database.state<{ standby: boolean }[]>`select /* sti */ pg_is_in_recovery() as standby`
      say(foreign ?? (server!.standby ? 'The database is a standby: point the agent at the primary.' : null))
    } catch (error) {
      const away = isAway(error)
      say(
        away
          ? `The database cannot be reached: ${messageOf(error)}.`
          : `The database cannot be used: ${messageOf(error)}`,
      )
    }
  }
  const look = (): Promise<void> => {
    looking ??= once().finally(() => {
      looking = null
    })
    return looking
  }
  return {
    start() {
      timer = setInterval(() => void look(), EVERY_MS)
      void look()
    },
    async stop() {
      clearInterval(timer)
      await looking
    },
    look,
    faults: () => (fault === null ? [] : [fault]),
    foreignState: () => foreign,
    demand() {
      if (!seen) throw new DatabaseAway(fault ?? 'The database has not been reached yet.')
    },
  }
}
