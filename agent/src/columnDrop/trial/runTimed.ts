import type { Sql } from '../../database/connect.ts'

/** The duration and the locks of one direction of a migration. */
export interface MigrationTiming {
  readonly seconds: number
  /** The time from acquiring the table lock to the commit, during which the table is blocked. */
  readonly lockedSeconds: number
  readonly parts: readonly { readonly part: string; readonly seconds: number }[]
  /** The locks held just before the commit, with the names of the copy. */
  readonly locks: readonly HeldLock[]
}

export interface HeldLock {
  readonly relation: string
  /** As in pg_locks, such as `AccessExclusiveLock`. */
  readonly mode: string
}

/**
 * Runs one direction of a migration section by section and reads its locks before the commit. `sql` has one
 * connection.
 */
export async function runTimed(sql: Sql, text: string): Promise<MigrationTiming> {
  const [, ...parts] = text.split(/\n\n(?=-- \d+\. )/)
  const timings: { part: string; seconds: number }[] = []
  let lockedSeconds = 0
  let locked = false
  const started = performance.now()
  try {
    await sql.unsafe('begin')
    for (const part of parts) {
      const partStarted = performance.now()
      await sql.unsafe(part)
      const seconds = (performance.now() - partStarted) / 1000
      if (locked) lockedSeconds += seconds
      locked ||= /^ *lock table /m.test(part)
      timings.push({ part: part.split('\n')[0]!.replace(/^-- /, ''), seconds })
    }
    const locks = await sql.unsafe<HeldLock[]>(
      `select l.relation::regclass::text as relation, l.mode from pg_locks l
       where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted and l.relation >= 16384
         and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
       order by 1, 2`,
    )
    await sql.unsafe('commit')
    return { seconds: (performance.now() - started) / 1000, lockedSeconds, parts: timings, locks: [...locks] }
  } catch (error) {
    await sql.unsafe('rollback').catch(() => undefined)
    throw error
  }
}
