import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'

/** How Citus manages a table (https://docs.citusdata.com, "Table types"). */
export type CitusTableType =
  /** Its rows are split by a column over shards on several nodes. */
  | 'distributed'
  /** Every node has a copy of all rows. */
  | 'reference'
  /** It is in a schema of schema-based sharding: one shard, on the node of its schema. */
  | 'schema'
  /** Not split, on one node, and known to the other nodes. */
  | 'local'
  /** A shard itself, which belongs to the table that Citus splits. */
  | 'shard'

/** A table that Citus manages, as this node sees it. A plain table of a Citus database is none. */
export interface CitusTable {
  readonly type: CitusTableType
  /** The column by which its rows are split; null unless `distributed`. */
  readonly distributionColumn: string | null
  readonly shards: number
  /** Copies of each shard. */
  readonly copies: number
  /** Nodes that have a part or a copy of the table. */
  readonly nodes: number
  /** The access method unless it is PostgreSQL’s own, such as `columnar`; else null. */
  readonly storage: string | null
  /** False: this connection is to a worker node. */
  readonly onCoordinator: boolean
  /** The version of the extension, such as `13.0-1`. */
  readonly version: string
}

interface CitusTableRow extends Omit<CitusTable, 'type'> {
  readonly type: CitusTableType | null
}

/**
 * Reads how Citus manages a table; null: it does not. The caller has seen the extension `citus` in this database: without
 * it, nothing is queried.
 */
export async function readCitusTable(sql: Sql, oid: number): Promise<CitusTable | null> {
  const { type, ...table } = onlyRow(
    await sql<CitusTableRow[]>`
      with /* sti */ placement as (
        select s.shardid, p.groupid
        from pg_catalog.pg_dist_shard s join pg_catalog.pg_dist_placement p on p.shardid = s.shardid
        where s.logicalrelid = ${oid}::oid::regclass
      )
      select
        case when d.logicalrelid is null then
            case when pg_catalog.relation_is_a_known_shard(${oid}::oid::regclass) then 'shard' end
          when s.colocationid is not null then 'schema'
          when d.partmethod = 'n' and d.repmodel = 't' then 'reference'
          when d.partmethod = 'n' and d.colocationid = 0 then 'local'
          else 'distributed' end as type,
        pg_catalog.column_to_column_name(d.logicalrelid, d.partkey) as "distributionColumn",
        (select count(distinct shardid)::int from placement) as shards,
        coalesce((select max(n)::int from (select count(*) as n from placement group by shardid) c), 0) as copies,
        (select count(distinct groupid)::int from placement) as nodes,
        coalesce((select l.groupid = 0 from pg_catalog.pg_dist_local_group l), true) as "onCoordinator",
        (select nullif(am.amname, 'heap')::text from pg_catalog.pg_class c join pg_catalog.pg_am am on am.oid = c.relam
          where c.oid = ${oid}::oid) as storage,
        (select e.extversion from pg_catalog.pg_extension e where e.extname = 'citus') as version
      from (select) as one
        left join pg_catalog.pg_dist_partition d on d.logicalrelid = ${oid}::oid::regclass
        left join pg_catalog.pg_dist_schema s on s.colocationid = d.colocationid and d.colocationid <> 0`,
  )
  return type === null ? null : { type, ...table }
}

/** True if Citus manages the table, in a database that may not have the extension. */
export async function isCitusTable(sql: Sql, table: string): Promise<boolean> {
  const { citus } = onlyRow(
    await sql<{ citus: boolean }[]>`
      select /* sti */ exists (select from pg_catalog.pg_extension where extname = 'citus') as citus`,
  )
  if (!citus) return false
  const { managed } = onlyRow(
    await sql<{ managed: boolean }[]>`
      select /* sti */ exists (select from pg_catalog.pg_dist_partition where logicalrelid = to_regclass(${table})) as managed`,
  )
  return managed
}
