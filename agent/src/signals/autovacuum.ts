import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import type { Reading } from './reading.ts'

/** The longest-running autovacuum of a table or one of its partitions. */
export interface Autovacuum {
  /** 0 if none is running. */
  readonly seconds: number
  readonly pid: number | null
}

export interface AutovacuumOptions {
  readonly connection: BoundedConnection
  /** The table as SQL, with its schema. */
  readonly table: string
  readonly intervalMs: number
  readonly now: () => number
}

export function pollAutovacuum({ connection, table, intervalMs, now }: AutovacuumOptions): Poll<Reading<Autovacuum>> {
  return createPoll<Reading<Autovacuum>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<Autovacuum>> {
    const at = now()
    const [row] = await connection.query<{ monitors: boolean; role: string; oldest: Autovacuum | null }[]>(
      (sql) => sql`
      select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        (select jsonb_build_object('pid', a.pid,
            'seconds', greatest(0, extract(epoch from clock_timestamp() - a.xact_start)))
          from pg_stat_progress_vacuum v join pg_stat_activity a on a.pid = v.pid
          where v.datname = current_database() and a.backend_type = 'autovacuum worker'
            and (v.relid = to_regclass(${table}) or v.relid in (select relid from pg_partition_tree(to_regclass(${table}))))
          order by a.xact_start limit 1) as oldest`,
    )
    requireMonitorPrivilege(row!)
    return { value: row!.oldest ?? { seconds: 0, pid: null }, at }
  }
}
