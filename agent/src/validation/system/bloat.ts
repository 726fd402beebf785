import type { Sql } from '../../database/connect.ts'
import { errorCode } from '../../database/errors.ts'
import type { ValidationCheck, CheckFinding } from '../check.ts'

/** A table of which more than this is dead or free should be rewritten at leisure. A backfill without HOT makes half. */
const MAX_BLOAT_RATIO = 0.6
/** A small table is bloated by a few pages. */
const MIN_TABLE_BYTES = 16 * 1024 ** 2

/**
 * How much of the table is dead rows or free space: by pgstattuple_approx where that is installed and may be called, which
 * reads only pages that are not all visible; else the dead rows alone, as the statistics count them.
 */
export const bloat: ValidationCheck = {
  name: 'bloat',
  layer: 'system',
  unit: 'ratio',
  async run({ rollout, table, sql }) {
    if (table.bytes < MIN_TABLE_BYTES)
      return {
        verdict: 'pass',
        value: null,
        limit: MAX_BLOAT_RATIO,
        detail: `the table has ${table.bytes} bytes: too small to matter`,
      }
    const leaves = table.partitioned ? table.partitions.map((one) => one.sql) : [rollout.table.sql]
    const wastedRatio = await measureWithPgstattuple(sql, leaves)
    if (typeof wastedRatio === 'number')
      return judgeBloat(
        wastedRatio,
        `of the table ${formatPercent(wastedRatio)} is dead rows or free, by pgstattuple_approx`,
      )
    const [row] = await sql<{ dead: number; live: number }[]>`
      select coalesce(sum(n_dead_tup), 0)::float8 as dead, coalesce(sum(n_live_tup), 0)::float8 as live from pg_stat_user_tables
      where relid = to_regclass(${rollout.table.sql}) or relid in (select relid from pg_partition_tree(to_regclass(${rollout.table.sql})))`
    const { dead, live } = row!
    if (dead + live === 0)
      return {
        verdict: 'inconclusive',
        value: null,
        limit: MAX_BLOAT_RATIO,
        detail: `the statistics know no row of it (ANALYZE it); ${wastedRatio}`,
      }
    const deadRatio = dead / (dead + live)
    return judgeBloat(
      deadRatio,
      `of its rows ${formatPercent(deadRatio)} are dead, by the statistics, which do not see free space; ${wastedRatio}`,
    )
  },
}

function judgeBloat(ratio: number, detail: string): CheckFinding {
  return { verdict: ratio > MAX_BLOAT_RATIO ? 'fail' : 'pass', value: ratio, limit: MAX_BLOAT_RATIO, detail }
}

/** The part that is dead or free, weighed by size; a sentence instead: why that cannot be told. */
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
    return 'the agent’s role may not call pgstattuple_approx: GRANT pg_stat_scan_tables'
  }
}

const formatPercent = (part: number): string => `${(100 * part).toFixed(1)} %`
