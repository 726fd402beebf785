import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, errorMessage, isConnectionError, isValueRefused } from '../database/errors.ts'
import type { Log } from '../log.ts'

/** A write of a decision. It is repeated until it succeeds, so it must be idempotent. */
export interface QueuedWrite {
  readonly description: string
  /**
   * The record of an automatic rollback: written before all others, and never dropped. There is at most one per rollout,
   * rule and change.
   */
  readonly isRollback: boolean
  /** `plainTexts`: the database has refused a value, so that only texts are written that every database can store. */
  write(plainTexts: boolean): Promise<void>
}

/** Pending writes of decisions. None waits for another one that fails. */
export interface WriteQueue {
  /** False: too many are waiting, and this one is dropped. */
  enqueue(write: QueuedWrite): boolean
  /** Attempts what is due once more, then ends. */
  stop(): Promise<void>
}

/** Bound of the writes that are not rollbacks. */
const MAX_PENDING_WRITES = 1_000
const MIN_RETRY_MS = 500
const MAX_RETRY_MS = 5_000
/** A write that is no rollback is given up after so many attempts, unless the database was unavailable. */
const MAX_ATTEMPTS = 20

interface PendingWrite extends QueuedWrite {
  attempts: number
  plainTexts: boolean
  /** Milliseconds, by performance.now(). */
  dueAt: number
}

export function createWriteQueue(log: Log, onDropped: (count: number) => void): WriteQueue {
  let pending: PendingWrite[] = []
  let draining: Promise<void> | null = null
  const stopping = new AbortController()

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      const next = takeDue()
      if (next !== null) await attempt(next)
      else if (stopping.signal.aborted) return
      else await untilDue()
    }
  }

  /** The next write to attempt: rollbacks first, then in order. */
  function takeDue(): PendingWrite | null {
    const now = performance.now()
    const due = pending.filter(({ dueAt }) => dueAt <= now)
    return due.find(({ isRollback }) => isRollback) ?? due[0] ?? null
  }

  async function attempt(write: PendingWrite): Promise<void> {
    try {
      await write.write(write.plainTexts)
      remove(write)
      if (write.attempts > 0)
        log({ level: 'info', message: `Wrote ${write.description}`, attempts: write.attempts + 1 })
    } catch (error) {
      handleFailure(write, error)
    }
  }

  function handleFailure(write: PendingWrite, error: unknown): void {
    write.attempts++
    // A write that is due again is attempted after those that wait.
    const retryMs = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * write.attempts)
    write.dueAt = performance.now() + retryMs
    pending = [...pending.filter((other) => other !== write), write]
    const code = errorCode(error)
    if (isValueRefused(error)) write.plainTexts = true
    if (write.attempts === 1)
      log({ level: 'warning', message: `Cannot write ${write.description} yet`, code, error: errorMessage(error) })
    // The schema may not exist yet.
    const isUnavailable = isConnectionError(error) || code === '42P01'
    if (isUnavailable) write.attempts = Math.min(write.attempts, MAX_ATTEMPTS - 1)
    if (write.isRollback || write.attempts < MAX_ATTEMPTS) return
    remove(write)
    onDropped(1)
    log({ level: 'error', message: `Gave up ${write.description}`, code, error: errorMessage(error) })
  }

  function remove(write: PendingWrite): void {
    pending = pending.filter((other) => other !== write)
  }

  async function untilDue(): Promise<void> {
    const earliest = Math.min(...pending.map(({ dueAt }) => dueAt))
    const milliseconds = Math.max(1, earliest - performance.now())
    await delay(milliseconds, undefined, { ref: false, signal: stopping.signal }).catch(() => undefined)
  }

  return {
    enqueue(write) {
      const others = pending.filter(({ isRollback }) => !isRollback).length
      if (stopping.signal.aborted || (!write.isRollback && others >= MAX_PENDING_WRITES)) {
        onDropped(1)
        log({ level: 'error', message: `Dropped ${write.description}: ${others} writes are waiting for the database` })
        return false
      }
      pending.push({ ...write, attempts: 0, plainTexts: false, dueAt: 0 })
      draining ??= drain().finally(() => {
        draining = null
      })
      return true
    },
    async stop() {
      stopping.abort()
      await draining
      if (pending.length > 0)
        log({
          level: 'error',
          message: `${pending.length} writes of decisions are not in the database. The records of rollbacks whose flag change is stored or spooled follow once an agent runs; others are lost.`,
        })
    },
  }
}
