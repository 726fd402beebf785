import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import type postgres from 'postgres'
import { errorCode, errorMessage } from './errors.ts'
import { onlyRow } from './onlyRow.ts'
import { refusedStatement, SessionRefusedError, sharedConnections } from './sessionRefused.ts'

type Sql = postgres.Sql<{ bigint: bigint }>

/** Finds out if a pooler gives each client a server connection of its own for as long as it is connected. */
export interface PoolingCheck {
  /** @throws SessionRefusedError if it does not; the error of the connection if that cannot be told */
  requireSessionMode(): Promise<void>
  /** Ends this session if the pooler turns out to share connections. */
  watch(session: Duplex): void
  /** Checks again if sessions go through a pooler. @throws SessionRefusedError */
  recheck(): Promise<void>
}

/** A pooler can change its mode while it runs. */
const VALID_MS = 20_000
const ROUNDS = 5
const ANSWER_TIMEOUT_MS = 2_000

/** `open` opens a client with a single connection, as it is. */
export function createPoolingCheck(open: () => Sql): PoolingCheck {
  const sessions = new Set<Duplex>()
  let current: Promise<void> | null = null
  let validUntil = 0

  const check = (): Promise<void> => {
    if (current !== null && performance.now() < validUntil) return current
    validUntil = Infinity
    current = findSharing(open).then((shared) => {
      validUntil = performance.now() + VALID_MS
      if (!shared) return
      const refusal = sharedConnections()
      for (const session of sessions) session.destroy(refusal)
      throw refusal
    })
    current.catch((error: unknown) => {
      // If the pooler is unavailable, the next session checks again.
      if (!(error instanceof SessionRefusedError)) validUntil = 0
    })
    return current
  }
  return {
    requireSessionMode: check,
    watch(session) {
      sessions.add(session)
      session.once('close', () => sessions.delete(session))
    },
    async recheck() {
      if (sessions.size > 0) await check()
    },
  }
}

/**
 * True if two clients get the same server connection, or one client gets different ones. The second client keeps its
 * server connection in a transaction while the first asks again: a pooler that shares gives the second one what the
 * first has just used, or the first one another, or lets it wait. Other clients of the pooler can hide that in one round.
 */
async function findSharing(open: () => Sql): Promise<boolean> {
  const [first, second] = [open(), open()]
  try {
    const firstPid = await readPid(first)
    for (let round = 0; round < ROUNDS; round++) {
      if ((await readPid(first)) !== firstPid) return true
      const secondPid = await readPid(second, 'begin;').catch(refuseTransactions)
      if (secondPid === firstPid) return true
      const again = await Promise.race([
        readPid(first).catch(() => null),
        delay(ANSWER_TIMEOUT_MS, null, { ref: false }),
      ])
      if (again !== firstPid) return true
      await second.unsafe('rollback')
    }
    return false
  } finally {
    await Promise.all([first.end({ timeout: 0 }), second.end({ timeout: 0 })])
  }
}

/** In statement mode a pooler refuses transactions. */
function refuseTransactions(error: unknown): never {
  throw errorCode(error) === '08P01' ? refusedStatement(errorMessage(error)) : error
}

async function readPid(sql: Sql, before = ''): Promise<string> {
  const rows = (await sql.unsafe(
    `${before} select /* sti */ pg_catalog.pg_backend_pid()::pg_catalog.text as pid`,
  )) as unknown
  const results = rows as { pid: string }[] | { pid: string }[][]
  return onlyRow((Array.isArray(results.at(-1)) ? results.at(-1) : results) as { pid: string }[]).pid
}
