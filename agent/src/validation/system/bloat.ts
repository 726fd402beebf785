import { queryShards } from '../../citus/queryShards.ts'
import type { Sql } from '../../database/connect.ts'
import { errorCode } from '../../database/errors.ts'
import { formatBytes, formatPercent } from '../../format/format.ts'
import { partitionsSql } from '../../rollout/partitionsSql.ts'
import type { ValidationCheck, CheckFinding } from '../check.ts'

interface RowCounts {
  readonly dead: number
  readonly live: number
}

interface TableStatistics extends RowCounts {
  readonly bytes: number
}

/** Share of dead rows and free space above which the table should be rewritten. A backfill without HOT updates causes 0.5. */
const MAX_BLOAT_RATIO = 0.6
/** A few pages are enough to bloat a smaller table. */
const MIN_TABLE_BYTES = 16 * 1024 ** 2

/**
 * The share of dead rows and free space, measured with pgstattuple_approx, which reads only pages that are not
 * all-visible. Without it, the share of dead rows by the statistics.
 */
export const bloat: ValidationCheck = {
  name: 'bloat',
  layer: 'system',
  unit: 'ratio',
  async run({ rollout, table, sql }) {
    if (table.citus !== null) return await judgeShards(sql, rollout.table.sql)
    if (table.bytes < MIN_TABLE_BYTES) return tooSmall(table.bytes)
    const leaves = table.partitioned ? table.partitions.map((partition) => partition.sql) : [rollout.table.sql]
    const wastedRatio = await measureWithPgstattuple(sql, leaves)
    if (typeof wastedRatio === 'number')
      return judgeBloat(
        wastedRatio,
        `${formatPercent(wastedRatio)} of the table is dead rows or free space (limit ${formatPercent(MAX_BLOAT_RATIO)}), measured with pgstattuple_approx`,
      )
    const [row] = await sql.unsafe<TableStatistics[]>(statisticsSql(partitionsSql(rollout.table.sql)))
    return judgeStatistics(row!, wastedRatio)
  },
}

/** Shards are judged by the statistics of their nodes. */
async function judgeShards(sql: Sql, table: string): Promise<CheckFinding> {
  const nodes = await queryShards<TableStatistics>(sql, table, statisticsSql)
  const sum = (read: (node: (typeof nodes)[number]) => number): number =>
    nodes.reduce((total, node) => total + read(node), 0)
  const bytes = sum((node) => node.bytes)
  if (bytes < MIN_TABLE_BYTES) return tooSmall(bytes)
  const counts = { dead: sum((node) => node.dead), live: sum((node) => node.live) }
  return judgeStatistics(counts, 'shards are not read with pgstattuple')
}

function statisticsSql(relations: string): string {
  return `select coalesce(sum(n_dead_tup), 0)::float8 as dead, coalesce(sum(n_live_tup), 0)::float8 as live,
    coalesce(sum(pg_table_size(relid)), 0)::float8 as bytes from pg_stat_user_tables where relid in (${relations})`
}

function tooSmall(bytes: number): CheckFinding {
  const detail = `the table has ${formatBytes(bytes)}, which is too small to matter (from ${formatBytes(MIN_TABLE_BYTES)})`
  return { verdict: 'pass', value: null, limit: MAX_BLOAT_RATIO, detail }
}

/** `unmeasured` says why the free space is not known. */
function judgeStatistics({ dead, live }: RowCounts, unmeasured: string): CheckFinding {
  if (dead + live === 0)
    return {
      verdict: 'inconclusive',
      value: null,
      limit: MAX_BLOAT_RATIO,
      detail: `the statistics contain no rows (ANALYZE the table); ${unmeasured}`,
    }
  const deadRatio = dead / (dead + live)
  return judgeBloat(
    deadRatio,
    `${formatPercent(deadRatio)} of the rows are dead (limit ${formatPercent(MAX_BLOAT_RATIO)}) by the statistics, which do not include free space; ${unmeasured}`,
  )
}

function judgeBloat(ratio: number, detail: string): CheckFinding {
  return { verdict: ratio > MAX_BLOAT_RATIO ? 'fail' : 'pass', value: ratio, limit: MAX_BLOAT_RATIO, detail }
}

/** The share of dead rows and free space over all leaves, or the reason why it cannot be measured. */
async function measureWithPgstattuple(sql: Sql, leaves: readonly string[]): Promise<number | string> {
  const [extension] = await sql<{ schema: string }[]>`
    select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pgstattuple'`
  if (!extension) return 'pgstattuple is not installed'
  try {
    let [bytes, wasted] = [0, 0]
    for (const leaf of leaves) {
      const [pageStatistics] = await sql<{ bytes: number; wasted: number }[]>`
        select /* sti */ table_len::float8 as bytes, (dead_tuple_len + approx_free_space)::float8 as wasted
        from ${sql(extension.schema)}.pgstattuple_approx(to_regclass(${leaf}))`
      bytes += pageStatistics!.bytes
      wasted += pageStatistics!.wasted
    }
    return bytes === 0 ? 0 : wasted / bytes
  } catch (error) {
    if (errorCode(error) !== '42501') throw error
    return 'the role of the agent may not call pgstattuple_approx: GRANT pg_stat_scan_tables to it'
  }
}
