import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { waitFor } from './waitFor.ts'

/** Sessions of an application, each of which repeats its own step. A session that fails fails the next wait. */
export interface ApplicationSessions {
  /** Waits until no statement runs; none begins before resume(). */
  pause(): Promise<void>
  resume(): void
  /** Waits for `work`; fails if a session fails first. */
  waitDuring<T>(work: Promise<T>): Promise<T>
  /** Ends the sessions and their connections. */
  stop(): Promise<void>
}

/** Starts `count` sessions on the connections of `sql`; `createStep` returns what a session repeats. */
export function startApplicationSessions(
  sql: postgres.Sql,
  count: number,
  createStep: (session: number) => (() => Promise<void>) | Promise<() => Promise<void>>,
): ApplicationSessions {
  let stopped = false
  let paused = false
  let pausedSessions = 0
  const run = async (session: number): Promise<void> => {
    const step = await createStep(session)
    while (!stopped) {
      if (!paused) {
        await step()
        continue
      }
      pausedSessions++
      while (paused && !stopped) await sleep(5)
      pausedSessions--
    }
  }
  const sessions = Array.from({ length: count }, (_, session) => run(session))
  for (const session of sessions) session.catch(() => undefined)
  const waitDuring = async <T>(work: Promise<T>): Promise<T> =>
    await Promise.race([work, ...sessions.map((session) => session.then(() => work))])
  return {
    waitDuring,
    async pause() {
      paused = true
      await waitDuring(waitFor('every session pauses', () => pausedSessions === count, { seconds: 60, intervalMs: 5 }))
    },
    resume() {
      paused = false
    },
    async stop() {
      stopped = true
      try {
        await Promise.all(sessions)
      } finally {
        await sql.end({ timeout: 5 })
      }
    },
  }
}
