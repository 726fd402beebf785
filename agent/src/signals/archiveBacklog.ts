import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** The WAL files that wait for the archiver; none if archive_mode is off. */
export interface ArchiveBacklog {
  /** False: archive_mode is off. */
  readonly enabled: boolean
  /** Completed WAL files that are not archived yet. */
  readonly files: number
  /** The file at which the last attempt failed, and the seconds since that failure; null: it did not fail. */
  readonly failing: { readonly file: string; readonly seconds: number } | null
}

export interface ArchiveBacklogOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

interface ArchiverRow {
  monitors: boolean
  role: string
  mode: string
  failing: { file: string; seconds: number } | null
}

export function pollArchiveBacklog({ server, intervalMs, now }: ArchiveBacklogOptions): Poll<Reading<ArchiveBacklog>> {
  return createPoll<Reading<ArchiveBacklog>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<ArchiveBacklog>> {
    const at = now()
    const row = await server.read<ArchiverRow>(
      () => `
      select /* sti */ pg_has_role(current_user, 'pg_monitor', 'USAGE') as monitors, current_user::text as role,
        current_setting('archive_mode') as mode,
        (select jsonb_build_object('file', last_failed_wal, 'seconds',
            greatest(0, extract(epoch from clock_timestamp() - last_failed_time)))
          from pg_stat_archiver where last_failed_time > coalesce(last_archived_time, '-infinity')) as failing`,
    )
    if (row.mode === 'off') return { value: { enabled: false, files: 0, failing: null }, at }
    requireMonitorPrivilege(row)
    const pending = await server.read<{ files: number }>(
      () => `
      select /* sti */ count(*)::int4 as files from pg_ls_archive_statusdir() where name like '%.ready'`,
    )
    return { value: { enabled: true, files: pending.files, failing: row.failing }, at }
  }
}
