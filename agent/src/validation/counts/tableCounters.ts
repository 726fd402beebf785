import type { Sql } from '../../database/connect.ts'

/** PostgreSQL's cumulative counters of the table. */
export interface TableCounters {
  /** Changes when the counters are reset, manually or by a crash. */
  readonly epoch: string
  readonly oid: number
  /** The oldest transaction open at that time; rows committed earlier are older. */
  readonly snapshot: string
  /** Keyed by the OID of the leaf partition, or of the table itself. */
  readonly leaves: Readonly<Record<string, LeafCounters>>
}

interface LeafCounters {
  readonly name: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** Reads the counters from the primary. A session reports its counters at most 10 s after a transaction ends. */
export async function readCounters(state: Sql, oid: number): Promise<TableCounters> {
  const [row] = await state<{ epoch: string; snapshot: string; leaves: Record<string, LeafCounters> }[]>`
    select concat_ws(' ', (select extract(epoch from stats_reset) from pg_stat_database where datname = current_database()),
        (select extract(epoch from stats_reset) from pg_stat_wal)) as epoch,
      pg_snapshot_xmin(pg_current_snapshot())::text as snapshot,
      (select coalesce(jsonb_object_agg(c.oid::text, jsonb_build_object('name', c.oid::regclass::text, 'inserted', s.n_tup_ins,
          'updated', s.n_tup_upd, 'deleted', s.n_tup_del)), '{}')
        from pg_class c join pg_stat_all_tables s on s.relid = c.oid
        where c.relkind = 'r' and (c.oid = ${oid}::oid or c.oid in (select relid from pg_partition_tree(${oid}::oid::regclass)))) as leaves`
  return { epoch: row!.epoch, snapshot: row!.snapshot, oid, leaves: row!.leaves }
}

export type CounterDelta =
  | { readonly comparable: false; readonly reason: string }
  | {
      readonly comparable: true
      readonly inserted: number
      readonly updated: number
      readonly deleted: number
      readonly missingPartitions: string[]
    }

/** The changes between two readings. */
export function compareCounters(then: TableCounters, now: TableCounters): CounterDelta {
  if (then.oid !== now.oid) return { comparable: false, reason: 'the table was dropped and recreated, or restored' }
  if (then.epoch !== now.epoch)
    return { comparable: false, reason: 'the statistics of PostgreSQL were reset, manually or after a crash' }
  const sums = { inserted: 0, updated: 0, deleted: 0 }
  for (const name of ['inserted', 'updated', 'deleted'] as const) {
    for (const [oid, leaf] of Object.entries(now.leaves)) {
      const increase = leaf[name] - (then.leaves[oid]?.[name] ?? 0)
      if (increase < 0) return { comparable: false, reason: 'the statistics of the table were reset' }
      sums[name] += increase
    }
  }
  const missingLeaves = Object.entries(then.leaves).filter(([oid]) => now.leaves[oid] === undefined)
  return { comparable: true, ...sums, missingPartitions: missingLeaves.map(([, leaf]) => leaf.name) }
}
