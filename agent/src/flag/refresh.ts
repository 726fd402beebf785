import type { Database } from '../database/connect.ts'
import { exchangeClients, measureClock, type ClockOffset } from './clientExchange.ts'
import type { Mark } from './clients.ts'
import type { Flag } from './memory.ts'
import { readStates, type FlagState } from './write.ts'

const EVERY_MS = 1_000
/** A reading that takes longer is left behind; its answer is ignored if it still comes. */
const SLOW_MS = 3_000
const OUTSTANDING = 3

interface RefreshDependencies {
  readonly database: Database
  readonly flags: ReadonlyMap<string, Flag>
  readonly offset: ClockOffset
  readonly log: (line: Record<string, unknown>) => void
  readonly now: () => number
  /** False while the state in the database is not ours: then nothing is read and nothing written. */
  readonly mayRead: () => boolean
  readonly hasPending: () => boolean
  readonly mark: (flag: Flag) => Mark
}

export interface Refresh {
  start(): void
  stop(): Promise<void>
  /** This agent itself has just written this state. */
  confirm(flag: Flag, state: FlagState): void
  /** Whatever was read belongs to another database. */
  forget(): void
  /** The database did not take or give something; said once on the log until it works again. */
  fault(error: unknown, rollout?: string): void
}

/** Reads the flags each second, so that a change made through another agent is served here too. */
export function createRefresh(dependencies: RefreshDependencies): Refresh {
  const { database, flags, offset, log, now, mayRead, hasPending, mark } = dependencies
  const clients = new Map([...flags].map(([rollout, flag]) => [rollout, flag.clients]))
  // What a reading began before may be older than what we wrote meanwhile: it counts only within its generation.
  let generation = 0
  let outstanding = 0
  let healthy = true
  let timer: NodeJS.Timeout | null = null
  let stopped = true
  let running: Promise<void> = Promise.resolve()

  async function read(): Promise<void> {
    if (!mayRead()) return
    const began = now()
    const mine = generation
    await measureClock(database.state, offset, now)
    const states = await readStates(database.state, [...flags.keys()])
    if (mine !== generation) return
    generation++
    for (const [rollout, flag] of flags) {
      const state = states.get(rollout)
      if (state) take(flag, state, began)
    }
    await exchangeClients(database.state, clients, offset)
    for (const flag of flags.values()) flag.propagation.review(flag.clients, mark(flag))
    // Keeps the reserved connection open: once connections are exhausted it could not be opened any more.
    if (!hasPending()) await database.urgent`select /* sti */ 1`
  }

  function take(flag: Flag, state: FlagState, began: number): void {
    const before = flag.confirmed
    flag.confirmed = state
    flag.confirmedAt = began
    if (before && before.version !== state.version && mark(flag).pending === 0)
      flag.propagation.begin(state.changedAt.getTime() - offset.milliseconds, flag.clients, mark(flag), false)
  }

  function fault(error: unknown, rollout?: string): void {
    if (!healthy) return
    healthy = false
    log({ level: 'error', event: 'flag-database-away', rollout, message: String(error) })
  }

  async function tick(): Promise<void> {
    if (outstanding < OUTSTANDING) {
      outstanding++
      const reading = read()
        .then(() => {
          if (!healthy) log({ level: 'info', event: 'flag-database-back' })
          healthy = true
        })
        .catch(fault)
        .finally(() => outstanding--)
      await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, SLOW_MS).unref())])
    }
    if (!stopped) timer = setTimeout(again, EVERY_MS)
  }

  function again(): void {
    timer = null
    running = tick()
  }

  return {
    start() {
      if (!stopped) return
      stopped = false
      again()
    },
    async stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      await running
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
      // While a reading runs, it is ignored now, and the next one follows by itself.
      if (timer === null || !mayRead()) return
      clearTimeout(timer)
      again()
    },
    fault,
  }
}
