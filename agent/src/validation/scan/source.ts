import { setTimeout as delay } from 'node:timers/promises'
import type { Database, Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { messageOf } from '../../engine/errors.ts'
import type { Run } from '../../engine/kind.ts'

/** Where the table is read. */
export interface Source {
  readonly sql: Sql
  readonly replica: boolean
}

const WAIT_MS = 10_000
const LOOK_MS = 200
const SETTINGS = {
  purpose: 'validation',
  readOnly: true,
  statementTimeoutMs: 30_000,
  parallel: true,
  ranges: true,
} as const

/**
 * The replica, when there is one that has replayed all that was written until now: then a reading of it is as good as
 * one of the primary. Else the primary, and an event that says why.
 */
export async function openSource(run: Run, useReplica: boolean): Promise<Source> {
  const { database, rollout } = run
  const settings = { ...SETTINGS, searchPath: rollout.searchPath }
  const primary = (): Source => ({ sql: database.engine(settings), replica: false })
  if (database.replica === null || !useReplica) return primary()
  const sql = database.replica(settings)
  const why = await caughtUp(database, sql).catch((error: unknown) => `it cannot be asked: ${messageOf(error)}`)
  if (why === null) {
    await run.event('validation', 'reads the replica')
    return { sql, replica: true }
  }
  await sql.end({ timeout: 0 })
  await run.event('validation', `reads the primary instead of the replica: ${why}`)
  return primary()
}

/** Null: it has. Asked within a bounded time. */
async function caughtUp(database: Database, replica: Sql): Promise<string | null> {
  const { lsn, system, oid } = onlyRow(
    await database.state<{ lsn: string; system: string; oid: string }[]>`
      select pg_current_wal_insert_lsn()::text as lsn, (select system_identifier::text from pg_control_system()) as system,
        (select oid::text from pg_database where datname = current_database()) as oid`,
  )
  const until = performance.now() + WAIT_MS
  let why = `it has not answered within ${WAIT_MS / 1000} s`
  for (;;) {
    const asked = replica<{ standby: boolean; has: boolean; system: string; oid: string; behind: number }[]>`
      select pg_is_in_recovery() as standby, coalesce(pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn, false) as has,
        (select system_identifier::text from pg_control_system()) as system,
        (select oid::text from pg_database where datname = current_database()) as oid,
        pg_wal_lsn_diff(${lsn}::pg_lsn, pg_last_wal_replay_lsn())::float8 as behind`
    // A replica that is away would be waited for without an end; what it says too late is of no interest.
    asked.catch(() => undefined)
    const late = delay(Math.max(1, until - performance.now()), null, { ref: false })
    const answer = await Promise.race([asked, late])
    if (answer === null) return why
    const found = onlyRow(answer)
    if (!found.standby) return 'it is no standby'
    if (found.system !== system || found.oid !== oid) return 'it is a standby of another server, or another database'
    if (found.has) return null
    why = `it is ${found.behind} bytes of WAL behind, also after ${WAIT_MS / 1000} s`
    await delay(LOOK_MS)
  }
}
