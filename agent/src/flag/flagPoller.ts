import type { Database } from '../database/connect.ts'
import { errorMessage } from '../database/errors.ts'
import { createInterval } from '../interval.ts'
import { syncClients, measureClockOffset, type ClockOffset } from './clientSync.ts'
import type { VersionMark } from './clientRegistry.ts'
import type { InMemoryFlag } from './inMemoryFlag.ts'
import { readFlagStates, type FlagState } from './flagStore.ts'

const POLL_INTERVAL_MS = 1_000
/** A slower read is abandoned. */
const READ_TIMEOUT_MS = 3_000
const MAX_OUTSTANDING_READS = 3

interface FlagPollerDependencies {
  readonly database: Database
  readonly flags: ReadonlyMap<string, InMemoryFlag>
  readonly offset: ClockOffset
  readonly log: (line: Record<string, unknown>) => void
  readonly now: () => number
  /** False while the state in the database belongs to another environment: nothing is read or written then. */
  readonly mayRead: () => boolean
  readonly hasPending: () => boolean
  readonly mark: (flag: InMemoryFlag) => VersionMark
}

export interface FlagPoller {
  start(): void
  stop(): Promise<void>
  /** Applies a state that this agent has just written. */
  confirm(flag: InMemoryFlag, state: FlagState): void
  /** Discards all states, because they belong to another database. */
  forget(): void
}

/** Reads the flags every second, so that this agent serves changes made through other agents. */
export function createFlagPoller(dependencies: FlagPollerDependencies): FlagPoller {
  const { database, flags, offset, log, now, mayRead, hasPending, mark } = dependencies
  // A read may be older than a concurrent write, so it counts only within its generation.
  let generation = 0
  let outstanding = 0
  let healthy = true
  let started = false

  async function readFlags(): Promise<void> {
    if (!mayRead()) return
    const startedAt = now()
    const readGeneration = generation
    await measureClockOffset(database.state, offset, now)
    const states = await readFlagStates(database.state, [...flags.keys()])
    if (readGeneration !== generation) return
    generation++
    for (const [rollout, flag] of flags) {
      const state = states.get(rollout)
      if (state) applyState(flag, state, startedAt)
    }
    await syncClients(database.state, flags, offset)
    for (const flag of flags.values()) flag.propagation.review(flag.clients, mark(flag))
    // Keeps the reserved connection open: it could not be opened once all connections are in use.
    if (!hasPending()) await database.urgent`select /* sti */ 1`
  }

  function applyState(flag: InMemoryFlag, state: FlagState, startedAt: number): void {
    const previous = flag.confirmed
    flag.confirmed = state
    flag.confirmedAt = startedAt
    if (previous && previous.version !== state.version && mark(flag).pending === 0)
      flag.propagation.begin(state.changedAt.getTime() - offset.milliseconds, flag.clients, mark(flag), false)
  }

  /** Logs a failure of the database once, until it works again. */
  function reportFault(error: unknown): void {
    if (!healthy) return
    healthy = false
    log({ level: 'error', event: 'flag-database-away', message: errorMessage(error) })
  }

  async function readOnce(): Promise<void> {
    if (outstanding >= MAX_OUTSTANDING_READS) return
    outstanding++
    try {
      await readFlags()
      if (!healthy) log({ level: 'info', event: 'flag-database-back' })
      healthy = true
    } catch (error) {
      reportFault(error)
    } finally {
      outstanding--
    }
  }

  const interval = createInterval({
    intervalMs: POLL_INTERVAL_MS,
    run: readOnce,
    abandonAfterMs: READ_TIMEOUT_MS,
    onError: (error) => reportFault(error),
  })

  return {
    start() {
      started = true
      interval.start()
    },
    async stop() {
      started = false
      await interval.stop()
    },
    confirm(flag, state) {
      generation++
      flag.confirmed = state
      flag.confirmedAt = now()
    },
    forget() {
      generation++
      for (const flag of flags.values()) {
        flag.confirmed = null
        flag.confirmedAt = null
      }
      // A reading in flight is ignored; the next one follows it.
      if (started && mayRead()) void interval.runNow()
    },
  }
}
