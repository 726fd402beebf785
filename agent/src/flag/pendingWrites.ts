import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Database, Sql } from '../database/connect.ts'
import { errorCode, errorMessage, isValueRefused } from '../database/errors.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import { writeFlagChange, type FlagChange, type FlagWriteResult } from './flagStore.ts'
import type { OffSpool, SpooledOff } from './offSpool.ts'
import { withoutTexts } from './withoutTexts.ts'

const RETRY_INTERVAL_MS = 250
/** How long a write waits for its file: a slow disk must not hold it up. */
const SPOOL_TIMEOUT_MS = 150
/** An attempt that takes longer counts as hung: more than the statement_timeout of the urgent connection. */
const ATTEMPT_TIMEOUT_MS = 2_500

export type CompletedWrite = Extract<FlagWriteResult, { kind: 'written' | 'earlier' }>

interface PendingWrite {
  readonly number: number
  /** Milliseconds since 1970. */
  readonly since: number
  readonly spoolId: string
  change: FlagChange
  /** Why the last attempt failed; null: none has. */
  fault: string | null
  inFlight: boolean
  /** Resolves when its file is on the disk, or cannot be, or takes too long. */
  spooling: Promise<void>
  spooled: boolean
  /** Another caller was told or requested that the flag is off: an earlier use of the same key does not answer for that. */
  owed: boolean
  readonly outcome: Promise<CompletedWrite>
  resolve(written: CompletedWrite): void
}

/** What keeps an off from being stored. */
export interface PendingOffState {
  /** Milliseconds since 1970. */
  readonly since: number
  readonly fault: string | null
  readonly spooled: boolean
}

/**
 * Changes that are served as off and not yet written, in order per rollout. Each is retried until it is written; its
 * idempotency key prevents a second effect if the response to an earlier attempt was lost. The same request again joins
 * the one that waits, so that a queue is at most as long as there are different requests.
 */
export interface PendingWrites {
  /** Queues a change; `outcome` resolves once it is written. `markOwed`: the caller has the answer that the flag is off. */
  add(change: FlagChange): { readonly outcome: Promise<CompletedWrite>; markOwed(): void }
  /** Queues the offs that an earlier process left. */
  restore(offs: readonly SpooledOff[]): void
  /** Number of the last pending change of a rollout, counted from 1; 0: none. */
  last(rollout: string): number
  /** The oldest pending change of a rollout; null: none. */
  oldest(rollout: string): PendingOffState | null
  /** All of them, and how many are in memory only. */
  count(): { readonly all: number; readonly unspooled: number }
  /** Suspends writing while the state in the database belongs to another environment. */
  hold(held: boolean): void
  stop(): void
}

export interface PendingWritesDependencies {
  readonly database: Database
  readonly spool: OffSpool | null
  readonly reached: FailpointHook
  readonly now: () => number
  readonly log: (line: Record<string, unknown>) => void
}

export function createPendingWrites(
  { database, spool, reached, now, log }: PendingWritesDependencies,
  onWritten: (pending: { number: number; change: FlagChange }, written: CompletedWrite) => void,
): PendingWrites {
  const queues = new Map<string, PendingWrite[]>()
  let lastNumber = 0
  let onHold = false
  let stopped = false
  let urgentHung = false
  let running = false
  let timer: NodeJS.Timeout | null = null

  async function drain(): Promise<void> {
    if (running || onHold || stopped) return
    running = true
    try {
      for (const [rollout, queue] of queues) {
        for (let head = queue[0]; head && !onHold && !stopped; head = queue[0])
          if (!(await writeHead(head, queue))) break
        if (queue.length === 0) queues.delete(rollout)
      }
    } finally {
      running = false
      if (queues.size > 0 && !stopped) timer ??= setTimeout(retry, RETRY_INTERVAL_MS)
    }
  }

  function retry(): void {
    timer = null
    void drain()
  }

  async function writeHead(head: PendingWrite, queue: PendingWrite[]): Promise<boolean> {
    head.inFlight = true
    try {
      // First in the file, so that the off outlives a process that ends before the database answers.
      await head.spooling
      await reached('flag.off-served')
      const written = await attempt(head.change)
      await reached('flag.off-written')
      if (written.kind === 'changed-meanwhile') throw new Error('Turning the flag off must not depend on a version.')
      const usedEarlier = written.kind === 'other-request' || (isOutdated(written) && head.owed)
      if (usedEarlier) {
        // The key was used before. The flag stays off, and the change is written with a new key.
        head.change = { ...head.change, idempotencyKey: `off-${randomUUID()}` }
        return false
      }
      queue.shift()
      if (head.fault !== null) logEnd(head)
      onWritten(head, written)
      head.resolve(written)
      await spool?.remove(head.spoolId)
      return true
    } catch (error) {
      if (isValueRefused(error)) head.change = withoutTexts(head.change)
      reportFault(head, error)
      return false
    } finally {
      head.inFlight = false
    }
  }

  async function save(target: OffSpool, pending: PendingWrite): Promise<void> {
    const { spoolId: id, since, change } = pending
    const saving = target.save({ id, since, change }).then((saved) => void (pending.spooled = saved))
    await Promise.race([saving, delay(SPOOL_TIMEOUT_MS, undefined, { ref: false })])
  }

  /** Logs once that a change cannot be stored, and once that it is: not at each attempt. */
  function reportFault(head: PendingWrite, error: unknown): void {
    const begins = head.fault === null
    head.fault = errorMessage(error)
    if (!begins) return
    const { rollout, reason, actor } = head.change
    const since = new Date(head.since).toISOString()
    log({
      level: 'error',
      event: 'flag-off-not-stored',
      rollout,
      actor,
      reason,
      since,
      code: errorCode(error),
      message: head.fault,
    })
  }

  function logEnd({ change, since }: PendingWrite): void {
    log({ level: 'info', event: 'flag-off-stored', rollout: change.rollout, seconds: (now() - since) / 1000 })
  }

  function enqueue(change: FlagChange, since: number, spoolId: string): PendingWrite {
    const queue = queues.get(change.rollout) ?? []
    queues.set(change.rollout, queue)
    let resolve: (written: CompletedWrite) => void = () => undefined
    const outcome = new Promise<CompletedWrite>((complete) => (resolve = complete))
    const pending: PendingWrite = {
      number: ++lastNumber,
      since,
      spoolId,
      change,
      fault: null,
      inFlight: false,
      spooling: Promise.resolve(),
      spooled: false,
      owed: false,
      outcome,
      resolve,
    }
    queue.push(pending)
    return pending
  }

  /** A connection whose peer vanished can hang for minutes; after one such attempt a new connection is opened. */
  async function attempt(change: FlagChange): Promise<FlagWriteResult> {
    if (!urgentHung) {
      const written = await withTimeout(
        writeFlagChange(database.urgent, change),
        ATTEMPT_TIMEOUT_MS,
        () => (urgentHung = true),
      )
      urgentHung = false
      return written
    }
    const freshConnection = database.engine({ purpose: 'flag', statementTimeoutMs: 2_000, lockTimeoutMs: 1_500 })
    try {
      const written = await withTimeout(writeFlagChange(freshConnection, change), ATTEMPT_TIMEOUT_MS, () => undefined)
      urgentHung = false
      return written
    } finally {
      await closeConnection(freshConnection)
    }
  }

  return {
    add(change) {
      const waiting = queues
        .get(change.rollout)
        ?.find((other) => !other.inFlight && isSameRequest(other.change, change))
      if (waiting) {
        waiting.owed = true
        return { outcome: waiting.outcome, markOwed: () => undefined }
      }
      const pending = enqueue(change, now(), randomUUID())
      if (spool) pending.spooling = save(spool, pending)
      void drain()
      return { outcome: pending.outcome, markOwed: () => void (pending.owed = true) }
    },
    restore(offs) {
      for (const { id, since, change } of offs) enqueue(change, since, id).spooled = true
      void drain()
    },
    last: (rollout) => queues.get(rollout)?.at(-1)?.number ?? 0,
    oldest(rollout) {
      const [head] = queues.get(rollout) ?? []
      return head ? { since: head.since, fault: head.fault, spooled: head.spooled } : null
    },
    count() {
      const all = [...queues.values()].flat()
      return { all: all.length, unspooled: all.filter(({ spooled }) => !spooled).length }
    },
    hold(value) {
      onHold = value
      if (!onHold) void drain()
    },
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}

/** The key was used for an off after which the flag was turned on. */
export function isOutdated(written: CompletedWrite): boolean {
  return written.kind === 'earlier' && !written.last && written.state?.enabled === true
}

function isSameRequest(one: FlagChange, other: FlagChange): boolean {
  return one.kind === other.kind && JSON.stringify(one.parameters) === JSON.stringify(other.parameters)
}

class AttemptTimeout extends Error {}

function withTimeout<T>(work: Promise<T>, milliseconds: number, onHung: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onHung()
      reject(new AttemptTimeout(`The database did not respond within ${milliseconds} ms.`))
    }, milliseconds)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

async function closeConnection(sql: Sql): Promise<void> {
  await sql.end({ timeout: 0 })
}
