import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** The longest-running autovacuum of a table or one of its partitions. */
export interface Autovacuum {
  /** 0 if none is running. */
  readonly seconds: number
  readonly pid: number | null
}

export interface AutovacuumOptions {
  readonly server: ServerQuery
  /** A query of the relations that are the table: its partitions, its shards. */
  readonly relations: string
  readonly intervalMs: number
  readonly now: () => number
}

export function pollAutovacuum({ server, relations, intervalMs, now }: AutovacuumOptions): Poll<Reading<Autovacuum>> {
  return createPoll<Reading<Autovacuum>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<Autovacuum>> {
    const at = now()
    const row = await server.read<{ monitors: boolean; role: string; oldest: Autovacuum | null }>(
      () => `
      select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        (select jsonb_build_object('pid', a.pid,
            'seconds', greatest(0, extract(epoch from clock_timestamp() - a.xact_start)))
          from pg_stat_progress_vacuum v join pg_stat_activity a on a.pid = v.pid
          where v.datname = current_database() and a.backend_type = 'autovacuum worker'
            and v.relid in (${relations})
          order by a.xact_start limit 1) as oldest`,
    )
    requireMonitorPrivilege(row)
    return { value: row.oldest ?? { seconds: 0, pid: null }, at }
  }
}
