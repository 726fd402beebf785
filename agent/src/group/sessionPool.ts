import type { Database, EngineSettings, Sql } from '../database/connect.ts'

/** A database whose engine connections are used again, and are closed with `end`. */
export interface SessionPool extends Database {
  end(): Promise<void>
}

/** A connection whose statement takes longer than this after it was given back is closed. */
const RETURN_TIMEOUT_MS = 1_000
/** Idle connections that are kept. Some settings are those of one table, so that nobody asks for them again. */
const MAX_IDLE = 10

/**
 * Keeps the engine connections of many short runs open: to open one, to look for a pooler, and to read its settings back
 * takes longer than the work in a small table. Connections with the same settings are alike, since what a run sets itself
 * is local to its transaction.
 */
export function createSessionPool(database: Database): SessionPool {
  /** The connection that was given back first is the first. */
  const idle: { readonly key: string; readonly sql: Sql }[] = []
  const closers = new Map<Sql, () => Promise<void>>()
  let ended = false

  const open = (settings: EngineSettings): Sql => {
    const sql = database.engine(settings)
    const end = sql.end.bind(sql)
    closers.set(sql, async () => {
      closers.delete(sql)
      await end({ timeout: 1 })
    })
    return sql
  }
  const engine = (requested: EngineSettings = {}): Sql => {
    // What a connection is for is only shown: with one name for all, a validation of many checks needs few.
    const settings: EngineSettings = { ...requested, purpose: 'tables' }
    const key = JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))
    const newest = idle.findLastIndex((entry) => entry.key === key)
    const sql = newest === -1 ? open(settings) : idle.splice(newest, 1)[0]!.sql
    let used = true
    const giveBack = async (): Promise<void> => {
      if (!used) return
      used = false
      const clean = await endTransaction(sql)
      if (clean && !ended) idle.push({ key, sql })
      else await closers.get(sql)?.()
      if (idle.length > MAX_IDLE) await closers.get(idle.shift()!.sql)?.()
    }
    // Each user has a handle of its own: a second end by one of them must not reach the next.
    return new Proxy(sql, {
      get: (target, property) => (property === 'end' ? giveBack : (Reflect.get(target, property) as unknown)),
    })
  }
  return {
    ...database,
    engine,
    async end() {
      ended = true
      idle.length = 0
      await Promise.all([...closers.values()].map((close) => close()))
    },
  }
}

/** False: the connection is lost or still busy. */
async function endTransaction(sql: Sql): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, RETURN_TIMEOUT_MS, false).unref()
  })
  // A statement of several that failed may have left its transaction open.
  const done = sql.unsafe('rollback').then(
    () => true,
    () => false,
  )
  return await Promise.race([done, timeout]).finally(() => clearTimeout(timer))
}
