import type { Database, Sql } from '../database/connect.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import { writeFlagChange, type FlagChange, type FlagWriteResult } from './flagStore.ts'

const RETRY_INTERVAL_MS = 250
/** An attempt that takes longer counts as hung: more than the statement_timeout of the urgent connection. */
const ATTEMPT_TIMEOUT_MS = 2_500

export type CompletedWrite = Extract<FlagWriteResult, { kind: 'written' | 'earlier' }>

interface PendingWrite {
  readonly number: number
  change: FlagChange
  readonly settled: Promise<CompletedWrite>
  resolve(written: CompletedWrite): void
}

/**
 * Changes that are served as off and not yet written, in order per rollout. Each is retried until it is written; its
 * idempotency key prevents a second effect if the response to an earlier attempt was lost.
 */
export interface PendingWrites {
  /** Queues a change; resolves once it is written. */
  add(change: FlagChange): Promise<CompletedWrite>
  /** Number of the last pending change of a rollout, counted from 1; 0: none. */
  last(rollout: string): number
  count(): number
  /** Suspends writing while the state in the database belongs to another environment. */
  hold(held: boolean): void
  stop(): void
}

export function createPendingWrites(
  { database, reached }: { readonly database: Database; readonly reached: FailpointHook },
  onWritten: (pending: { number: number; change: FlagChange }, written: CompletedWrite) => void,
  onFault: (change: FlagChange, error: unknown) => void,
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
    try {
      await reached('flag.off-served')
      const written = await attempt(head.change)
      await reached('flag.off-written')
      if (written.kind === 'changed-meanwhile') throw new Error('Turning the flag off must not depend on a version.')
      if (written.kind === 'other-request') {
        // The key was used for another request. The flag stays off, and the change is written with a new key.
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
      const queue = queues.get(change.rollout) ?? []
      queues.set(change.rollout, queue)
      let resolve: (written: CompletedWrite) => void = () => undefined
      const settled = new Promise<CompletedWrite>((complete) => (resolve = complete))
      queue.push({ number: ++lastNumber, change, settled, resolve })
      void drain()
      return settled
    },
    last: (rollout) => queues.get(rollout)?.at(-1)?.number ?? 0,
    count: () => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0),
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
