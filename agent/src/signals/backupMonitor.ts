import type { BackupStatus } from '../contract/rehearsal.ts'
import type { Database } from '../database/connect.ts'
import { formatCount, formatDuration, formatQuantity } from '../format/format.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { DEFAULT_BACKUP_QUERY } from '../rollout/rolloutFile.ts'
import { createPoll, type Poll } from './poll.ts'
import { createBoundedConnection, type BoundedConnection } from './boundedConnection.ts'
import { createRolloutQuery, type RolloutQuery } from './rolloutQuery.ts'

export interface BackupMonitor {
  start(): void
  stop(): Promise<void>
  /** Reads memory only. */
  read(rollout: string): BackupStatus
}

const POLL_INTERVAL_MS = 30_000
const QUERY_TIMEOUT_MS = 5_000

/** Runs the backup query of each rollout file every 30 s, read-only and with a timeout. */
export function createBackupMonitor(database: Database, rollouts: readonly Rollout[], now = Date.now): BackupMonitor {
  const monitored = new Map(rollouts.map((rollout) => [rollout.name, monitorBackup(database, rollout, now)]))
  return {
    start() {
      for (const { status } of monitored.values()) status.start()
    },
    async stop() {
      for (const { status } of monitored.values()) status.stop()
      await Promise.all([...monitored.values()].map(({ connection }) => connection.end()))
    },
    read: (rollout) => monitored.get(rollout)?.status.read() ?? unknownBackup('the rollout does not exist', false),
  }
}

function monitorBackup(
  database: Database,
  rollout: Rollout,
  now: () => number,
): { status: Poll<BackupStatus>; connection: BoundedConnection } {
  const connection = createBoundedConnection(
    () =>
      database.engine({
        purpose: 'backup',
        readOnly: true,
        statementTimeoutMs: QUERY_TIMEOUT_MS,
      }),
    QUERY_TIMEOUT_MS,
  )
  const { query, maxAge } = rollout.file.backup
  const backupQuery = createRolloutQuery({
    connection,
    open: () => database.engine({ purpose: 'backup', statementTimeoutMs: QUERY_TIMEOUT_MS }),
    scope: rollout,
    query,
  })
  const isDeclared = query !== DEFAULT_BACKUP_QUERY
  const status = createPoll<BackupStatus>({
    intervalMs: POLL_INTERVAL_MS,
    now,
    unknown: (sentence) => unknownBackup(sentence, isDeclared),
    refresh: async () => {
      const row = await queryBackup(backupQuery)
      const columnArchive = await queryColumnArchive(connection, rollout.name)
      return { ...toBackupStatus(row, maxAge, columnArchive), expected: isDeclared || row.mode !== 'off' }
    },
  })
  return { status, connection }
}

interface BackupRow {
  /** Seconds since the newest time that the query returns; null: it returns none. */
  readonly age: number | null
  readonly mode: string
  readonly archived: number | null
  readonly failing: { readonly file: string; readonly seconds: number } | null
}

async function queryBackup(backupQuery: RolloutQuery): Promise<BackupRow> {
  const [row] = await backupQuery.run<BackupRow>(
    (
      query,
    ) => `select /* sti */ (select extract(epoch from clock_timestamp() - max(q.at)::timestamptz)::float8 from (${query}\n) as q (at)) as age,
         current_setting('archive_mode') as mode,
         (select extract(epoch from clock_timestamp() - last_archived_time)::float8 from pg_stat_archiver) as archived,
         (select jsonb_build_object('file', last_failed_wal, 'seconds', greatest(0, extract(epoch from clock_timestamp() - last_failed_time)))
           from pg_stat_archiver where last_failed_time > coalesce(last_archived_time, '-infinity')) as failing`,
  )
  return row!
}

/** The archive of the legacy columns, as last compared with the table. */
interface ColumnArchiveRow {
  readonly checksum: string
  readonly rows: number
  readonly differing: number
  readonly seconds: number
}

async function queryColumnArchive(connection: BoundedConnection, rollout: string): Promise<ColumnArchiveRow | null> {
  const [table] = await connection.query<{ there: boolean }[]>(
    (sql) => sql`select /* sti */ to_regclass('sti.column_archive') is not null as there`,
  )
  // At the first start the table does not exist yet.
  if (!table!.there) return null
  const [row] = await connection.query<ColumnArchiveRow[]>(
    (sql) => sql`select checksum, verified_rows::float8 as rows, differing_rows::float8 as differing,
        extract(epoch from clock_timestamp() - verified_at)::float8 as seconds
      from sti.column_archive where rollout = ${rollout} and verified_at is not null and checksum is not null`,
  )
  return row ?? null
}

function toBackupStatus(
  { age, mode, archived, failing }: BackupRow,
  maxAge: number,
  columnArchive: ColumnArchiveRow | null,
): Omit<BackupStatus, 'expected'> {
  const archiver =
    mode === 'off'
      ? 'archive_mode is off'
      : failing !== null
        ? `the archiver has been failing at ${failing.file} for ${formatDuration(Math.round(failing.seconds))}`
        : archived === null
          ? 'no WAL has been archived yet'
          : `WAL was last archived ${formatDuration(Math.round(archived))} ago`
  const archiveText =
    columnArchive === null
      ? ''
      : ` ${formatDuration(Math.round(columnArchive.seconds))} ago, the archive of the legacy columns had checksum ${columnArchive.checksum} over ${formatQuantity(columnArchive.rows, 'row')}, ${formatCount(columnArchive.differing)} of which differed from the table.`
  if (age === null)
    return {
      available: false,
      ageSeconds: null,
      detail: `backup.query of the rollout file returns no backup time; ${archiver}.${archiveText}`,
    }
  const seconds = Math.max(0, age)
  const tooOld = seconds > maxAge
  return {
    available: !tooOld,
    ageSeconds: seconds,
    detail: `The last backup is ${formatDuration(Math.round(seconds))} old (limit ${formatDuration(maxAge)}); ${archiver}.${archiveText}`,
  }
}

function unknownBackup(sentence: string, expected: boolean): BackupStatus {
  return { available: false, expected, ageSeconds: null, detail: `The last backup is unknown: ${sentence}.` }
}
