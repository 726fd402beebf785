import { queryShards } from '../../citus/queryShards.ts'
import type { Sql } from '../../database/connect.ts'
import type { Table } from '../../rollout/rollout.ts'
import { formatCount, formatDuration, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { partitionsSql } from '../../rollout/partitionsSql.ts'

interface VacuumStatisticsRow {
  readonly relation: string
  readonly dead: number
  readonly live: number
  readonly threshold: number
  readonly off: boolean
  readonly running: boolean
  readonly seconds: number | null
}

/** Autovacuum is overdue above this multiple of its own threshold. */
const OVERDUE_FACTOR = 2
/** Autovacuum has this long to start after a bulk write by STI. */
const START_GRACE_SECONDS = 600

/** Autovacuum is enabled for the table and every partition, and keeps up with dead rows. */
export const autovacuum: ValidationCheck = {
  name: 'autovacuum',
  layer: 'system',
  unit: 'count',
  async run({ rollout, table, facts, sql }) {
    const rows = await readStatistics(sql, table, rollout.table.sql)
    const worst = [...rows].sort((a, b) => b.dead / b.threshold - a.dead / a.threshold)[0]
    if (!worst)
      return { verdict: 'inconclusive', value: null, limit: null, detail: 'the table has no statistics: ANALYZE it' }
    const disabled = rows.find((row) => row.off)
    const limit = Math.round(OVERDUE_FACTOR * worst.threshold)
    const evidence = { value: worst.dead, limit }
    if (disabled)
      return { verdict: 'fail', ...evidence, detail: `autovacuum is off for ${disabled.relation}: turn it on` }
    const lastVacuum = worst.seconds === null ? 'never vacuumed' : `last vacuumed ${formatDuration(worst.seconds)} ago`
    const detail = `${worst.relation} has ${formatQuantity(worst.dead, 'dead row')} (limit ${formatCount(limit)}) and ${formatQuantity(worst.live, 'live row')}; autovacuum starts above ${formatCount(Math.round(worst.threshold))}; ${lastVacuum}`
    if (worst.dead <= limit) return { verdict: 'pass', ...evidence, detail }
    if (worst.running) return { verdict: 'pass', ...evidence, detail: `${detail}; a vacuum is running` }
    const secondsSinceWrite =
      facts.lastWriteEndedAt === null ? Infinity : (Date.now() - Date.parse(facts.lastWriteEndedAt)) / 1000
    if (secondsSinceWrite < START_GRACE_SECONDS)
      return {
        verdict: 'pass',
        ...evidence,
        detail: `${detail}; autovacuum has ${formatDuration(START_GRACE_SECONDS)} to start after the bulk write that ended ${formatDuration(secondsSinceWrite)} ago`,
      }
    return {
      verdict: 'fail',
      ...evidence,
      detail: `${detail}: autovacuum is overdue; find out what blocks it, or VACUUM the table`,
    }
  },
}

/** The statistics of the table and its partitions, or of its shards, which have the rows of a table that Citus manages. */
async function readStatistics(sql: Sql, { citus }: Table, name: string): Promise<VacuumStatisticsRow[]> {
  if (citus === null) return await sql.unsafe<VacuumStatisticsRow[]>(statisticsSql(partitionsSql(name)))
  const shards = await queryShards<VacuumStatisticsRow>(sql, name, statisticsSql)
  return shards.map(({ node, relation, ...row }) => ({ ...row, relation: `${relation} on node ${node}` }))
}

function statisticsSql(relations: string): string {
  return `      select c.oid::regclass::text as relation, coalesce(s.n_dead_tup, 0)::float8 as dead, coalesce(s.n_live_tup, 0)::float8 as live,
        coalesce((o.values->>'autovacuum_vacuum_threshold')::float8, current_setting('autovacuum_vacuum_threshold')::float8)
          + coalesce((o.values->>'autovacuum_vacuum_scale_factor')::float8, current_setting('autovacuum_vacuum_scale_factor')::float8)
          * greatest(c.reltuples, 0) as threshold,
        current_setting('autovacuum') = 'off' or coalesce(o.values->>'autovacuum_enabled', 'on') in ('off', 'false', 'no', '0') as off,
        exists (select from pg_stat_progress_vacuum v where v.relid = c.oid) as running,
        extract(epoch from clock_timestamp() - greatest(s.last_autovacuum, s.last_vacuum))::float8 as seconds
      from pg_class c left join pg_stat_user_tables s on s.relid = c.oid,
        lateral (select coalesce(jsonb_object_agg(option_name, option_value), '{}') as values from pg_options_to_table(c.reloptions)) o
      where c.relkind = 'r' and c.oid in (${relations})
      order by coalesce(s.n_dead_tup, 0) desc`
}
