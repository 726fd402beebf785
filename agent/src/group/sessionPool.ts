import type { Database, EngineSettings, Sql } from '../database/connect.ts'

/** A database whose engine connections are used again, and are closed with `end`. */
export interface SessionPool extends Database {
  end(): Promise<void>
}

/** A connection whose statement takes longer than this after it was given back is closed. */
const RETURN_TIMEOUT_MS = 1_000

/**
 * Keeps the engine connections of many short runs open: to open one, to look for a pooler, and to read its settings back
 * takes longer than the work in a small table. Connections with the same settings are alike, since what a run sets itself
 * is local to its transaction.
 */
export function createSessionPool(database: Database): SessionPool {
  const idle = new Map<string, Sql[]>()
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
  const engine = (settings: EngineSettings = {}): Sql => {
    const key = JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)))
    const sql = idle.get(key)?.pop() ?? open(settings)
    let used = true
    sql.end = async () => {
      if (!used) return
      used = false
      const clean = await endTransaction(sql)
      if (!clean || ended) await closers.get(sql)?.()
      else idle.set(key, [...(idle.get(key) ?? []), sql])
    }
    return sql
  }
  return {
    ...database,
    engine,
    async end() {
      ended = true
      idle.clear()
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
