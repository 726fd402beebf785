import { setTimeout as delay } from 'node:timers/promises'
import type { Database, Sql, EngineSettings } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { errorMessage } from '../../database/errors.ts'
import { formatBytes, formatDuration } from '../../format/format.ts'
import type { RunContext } from '../../kind/kind.ts'

/** The connection that reads the table. */
export interface ReadConnection {
  readonly sql: Sql
  readonly replica: boolean
}

const REPLICA_CATCH_UP_TIMEOUT_MS = 10_000
const POLL_INTERVAL_MS = 200
const CONNECTION_SETTINGS: EngineSettings = {
  purpose: 'validation',
  readOnly: true,
  statementTimeoutMs: 30_000,
  parallel: true,
  avoidSeqScan: true,
}

/**
 * Connects to the replica if it has replayed everything written so far, which makes it equivalent to the primary.
 * Otherwise connects to the primary, with an event that says why.
 */
export async function openReadConnection(run: RunContext, useReplica: boolean): Promise<ReadConnection> {
  const { database } = run
  const connectPrimary = (): ReadConnection => ({ sql: database.engine(CONNECTION_SETTINGS), replica: false })
  if (database.replica === null || !useReplica) return connectPrimary()
  const sql = database.replica(CONNECTION_SETTINGS)
  const fault = await findReplicaFault(database, sql).catch(
    (error: unknown) => `the connection failed: ${errorMessage(error)}`,
  )
  if (fault === null) {
    await run.recordEvent('validation', 'reads the table on the replica')
    return { sql, replica: true }
  }
  await sql.end({ timeout: 0 })
  await run.recordEvent('validation', `reads the table on the primary instead of the replica: ${fault}`)
  return connectPrimary()
}

/** Why the replica cannot be used; null if it can. Bounded by a timeout. */
async function findReplicaFault(database: Database, replica: Sql): Promise<string | null> {
  const { lsn, system, oid } = onlyRow(
    await database.state<{ lsn: string; system: string; oid: string }[]>`
      select pg_current_wal_insert_lsn()::text as lsn, (select system_identifier::text from pg_control_system()) as system,
        (select oid::text from pg_database where datname = current_database()) as oid`,
  )
  const deadline = performance.now() + REPLICA_CATCH_UP_TIMEOUT_MS
  let reason = `it did not respond within ${formatDuration(REPLICA_CATCH_UP_TIMEOUT_MS / 1000)}`
  for (;;) {
    const request = replica<{ standby: boolean; has: boolean; system: string; oid: string; behind: number }[]>`
      select pg_is_in_recovery() as standby, coalesce(pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn, false) as has,
        (select system_identifier::text from pg_control_system()) as system,
        (select oid::text from pg_database where datname = current_database()) as oid,
        pg_wal_lsn_diff(${lsn}::pg_lsn, pg_last_wal_replay_lsn())::float8 as behind`
    // The query on an unavailable replica may never end, so a late result or error is ignored.
    request.catch(() => undefined)
    const timeout = delay(Math.max(1, deadline - performance.now()), null, { ref: false })
    const response = await Promise.race([request, timeout])
    if (response === null) return reason
    const status = onlyRow(response)
    if (!status.standby) return 'it is not a standby'
    if (status.system !== system || status.oid !== oid)
      return 'it is a standby of another server or has another database'
    if (status.has) return null
    reason = `it is still ${formatBytes(status.behind)} of WAL behind after ${formatDuration(REPLICA_CATCH_UP_TIMEOUT_MS / 1000)}`
    await delay(POLL_INTERVAL_MS)
  }
}
