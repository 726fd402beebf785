import { poll, type Poll } from './poll.ts'
import { demandMonitor } from './privilege.ts'
import type { Probe } from './probe.ts'
import { SignalUnknown, type Reading } from './reading.ts'

export interface StatementsOptions {
  readonly probe: Probe
  readonly intervalMs: number
  readonly now: () => number
}

interface Total {
  readonly key: string
  readonly id: string
  readonly calls: number
  readonly seconds: number
}

/**
 * Mean execution time in seconds of the statements of this database that ended since the reading before
 * (pg_stat_statements), without our own: those whose text names the schema `sti`, or holds the comment that the
 * questions here begin with. It stands after their first word: PostgreSQL 18 drops a comment before it.
 * Only those at the top: with pg_stat_statements.track = all the ones inside of functions would be counted twice.
 * Entry by entry, so that a reset or an eviction does not falsify the mean.
 */
export function queryTime({ probe, intervalMs, now }: StatementsOptions): Poll<Reading<number>> {
  let before: ReadonlyMap<string, Total> | undefined
  let ours: ReadonlyMap<string, boolean> = new Map()
  return poll<Reading<number>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<number>> {
    const at = now()
    const schema = await extensionSchema()
    const totals = await probe
      .ask<Total[]>(
        (sql) => sql`
        select /* sti */ concat_ws(' ', userid, queryid, toplevel) as key, queryid::text as id,
          calls::float8 as calls, total_exec_time / 1000 as seconds
        from ${sql(schema)}.pg_stat_statements(false)
        where toplevel and dbid = (select oid from pg_database where datname = current_database())`,
      )
      .catch(explain)
    // Reading texts costs five times as much as reading numbers, so it is done only when there is a new one.
    if (totals.some(({ id }) => !ours.has(id))) ours = await classify(schema)
    const last = before
    before = new Map(totals.map((total) => [total.key, total]))
    if (!last) return { unknown: 'the first interval is not over yet' }
    let calls = 0
    let seconds = 0
    for (const total of totals) {
      if (ours.get(total.id)) continue
      const earlier = last.get(total.key)
      const since = earlier && earlier.calls <= total.calls ? earlier : { calls: 0, seconds: 0 }
      calls += total.calls - since.calls
      seconds += total.seconds - since.seconds
    }
    if (calls === 0) return { unknown: 'no statement ended in the last interval' }
    return { value: Math.max(0, seconds) / calls, at }
  }

  async function classify(schema: string): Promise<ReadonlyMap<string, boolean>> {
    const texts = await probe.ask<{ id: string; ours: boolean }[]>(
      (sql) => sql`
      select /* sti */ queryid::text as id, bool_or(strpos(query, '/* sti */') > 0 or query ~ '\\msti"?\\.') as ours
      from ${sql(schema)}.pg_stat_statements
      where dbid = (select oid from pg_database where datname = current_database()) group by 1`,
    )
    return new Map(texts.map(({ id, ours }) => [id, ours]))
  }

  async function extensionSchema(): Promise<string> {
    const [row] = await probe.ask<{ monitors: boolean; role: string; schema: string | null }[]>(
      (sql) => sql`
      select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'pg_stat_statements') as schema`,
    )
    if (!row?.schema) throw new SignalUnknown('pg_stat_statements is missing: CREATE EXTENSION pg_stat_statements')
    demandMonitor(row)
    return row.schema
  }
}

function explain(error: unknown): never {
  if ((error as { code?: string }).code !== '55000') throw error
  throw new SignalUnknown('pg_stat_statements is not loaded: add it to shared_preload_libraries and restart PostgreSQL')
}
