import type { Database, Sql } from '../database/connect.ts'
import type { Reached } from '../engine/points.ts'
import { writeChange, type Change, type Written } from './write.ts'

/** Milliseconds between two attempts to write what is switched off already. */
const RETRY_MS = 250
/** Milliseconds after which an attempt counts as hung: more than the statement_timeout of the urgent connection. */
const HUNG_MS = 2_500

export type Settled = Extract<Written, { kind: 'written' | 'earlier' }>

interface Pending {
  readonly number: number
  change: Change
  readonly settled: Promise<Settled>
  resolve(written: Settled): void
}

/**
 * What is off in memory and not yet written, in order per rollout. Each is tried again until it is written; its
 * idempotency key makes it happen once, also when the answer to an earlier attempt was lost on the way.
 */
export interface PendingChanges {
  /** Queues a change; resolves when it was written. */
  add(change: Change): Promise<Settled>
  /** The number of the last unwritten change of a rollout, counted up from 1; 0: none. */
  last(rollout: string): number
  count(): number
  /** Holds the writing back while the state in the database is not ours. */
  hold(held: boolean): void
  stop(): void
}

export function createPending(
  { database, reached }: { readonly database: Database; readonly reached: Reached },
  onWritten: (pending: { number: number; change: Change }, written: Settled) => void,
  onFault: (change: Change, error: unknown) => void,
): PendingChanges {
  const queues = new Map<string, Pending[]>()
  let numbers = 0
  let held = false
  let stopped = false
  let urgentHung = false
  let running = false
  let timer: NodeJS.Timeout | null = null

  async function drain(): Promise<void> {
    if (running || held || stopped) return
    running = true
    try {
      for (const [rollout, queue] of queues) {
        for (let head = queue[0]; head && !held && !stopped; head = queue[0]) if (!(await settle(head, queue))) break
        if (queue.length === 0) queues.delete(rollout)
      }
    } finally {
      running = false
      if (queues.size > 0 && !stopped) timer ??= setTimeout(again, RETRY_MS)
    }
  }

  function again(): void {
    timer = null
    void drain()
  }

  async function settle(head: Pending, queue: Pending[]): Promise<boolean> {
    try {
      await reached('flag.off-served')
      const written = await attempt(head.change)
      await reached('flag.off-written')
      if (written.kind === 'changed-meanwhile') throw new Error('turning off does not depend on a version')
      if (written.kind === 'other-request') {
        // The key was used for something else. Off stays off: it is written under a key of its own.
        head.change = { ...head.change, idempotencyKey: `${head.change.idempotencyKey}/off-${crypto.randomUUID()}` }
        return false
      }
      queue.shift()
      onWritten(head, written)
      head.resolve(written)
      return true
    } catch (error) {
      onFault(head.change, error)
      return false
    }
  }

  /** A connection whose other end vanished may hang for minutes; after one such attempt a new one is opened. */
  async function attempt(change: Change): Promise<Written> {
    if (!urgentHung) {
      const first = await within(writeChange(database.urgent, change), HUNG_MS, () => (urgentHung = true))
      urgentHung = false
      return first
    }
    const fresh = database.engine({ purpose: 'flag', statementTimeoutMs: 2_000, lockTimeoutMs: 1_500 })
    try {
      const written = await within(writeChange(fresh, change), HUNG_MS, () => undefined)
      urgentHung = false
      return written
    } finally {
      await end(fresh)
    }
  }

  return {
    add(change) {
      const queue = queues.get(change.rollout) ?? []
      queues.set(change.rollout, queue)
      let resolve: (written: Settled) => void = () => undefined
      const settled = new Promise<Settled>((done) => (resolve = done))
      queue.push({ number: ++numbers, change, settled, resolve })
      void drain()
      return settled
    },
    last: (rollout) => queues.get(rollout)?.at(-1)?.number ?? 0,
    count: () => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0),
    hold(value) {
      held = value
      if (!held) void drain()
    },
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}

class Hung extends Error {}

function within<T>(work: Promise<T>, milliseconds: number, onHung: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onHung()
      reject(new Hung(`the database did not answer within ${milliseconds} ms`))
    }, milliseconds)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

async function end(sql: Sql): Promise<void> {
  await sql.end({ timeout: 0 })
}
