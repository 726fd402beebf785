import { findStatementStatisticsFault } from '../../database/statementStatistics.ts'
import { OWN_STATEMENT_SQL } from '../../database/tagStatement.ts'
import type { Sql } from '../../database/connect.ts'
import { findStatementsSchema } from '../../measure/querySampling.ts'
import { messageOf, parseStatements } from '../../rollout/sqlParser.ts'
import { mentionsTarget } from '../../statements/functionUses.ts'
import type { ColumnLookup, ColumnUseTarget } from '../../statements/columnUseTarget.ts'
import { findColumnUses } from '../../statements/columnUses.ts'

/** The use of the legacy columns by a statement. Null in the cache: it does not use them, or it is STI's own. */
export interface StatementUses {
  readonly statement: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** See ColumnUses. */
  readonly onlyThroughStar: boolean
  readonly unsure: string | null
}

/** A cache of analyzed statements by query ID, since reading the texts is expensive. */
export type StatementUseCache = Map<string, StatementUses | null>

interface StatementEntry {
  readonly entry: string
  readonly id: string
  readonly role: string
  readonly calls: number
}

/**
 * Polls pg_stat_statements for the application's statements that name the legacy columns, and for their calls since
 * the last poll. A reset or discarded entries restart the watch. Does nothing if statements cannot be read
 * (database/statementStatistics.ts).
 */
export async function pollStatements(
  sql: Sql,
  rollout: string,
  target: { readonly target: ColumnUseTarget; readonly columnsOf: ColumnLookup },
  cache: StatementUseCache,
): Promise<void> {
  const schema = await findStatementsSchema(sql)
  if (schema === null || (await findStatementStatisticsFault(sql)) !== null) return
  const [info] = await sql<{ since: string; thrownAway: number }[]>`
    select /* sti */ stats_reset::text as since, dealloc::float8 as "thrownAway" from ${sql(schema)}.pg_stat_statements_info`
  const entries = await sql<StatementEntry[]>`
    select /* sti */ concat_ws(' ', userid, queryid, toplevel) as entry, concat_ws(' ', userid, queryid) as id,
      pg_get_userbyid(userid)::text as role, calls::float8 as calls
    from ${sql(schema)}.pg_stat_statements(false)
    where dbid = (select oid from pg_database where datname = current_database()) and queryid is not null`
  const newQueryIds = [...new Set(entries.map(({ id }) => id).filter((id) => !cache.has(id)))]
  if (newQueryIds.length > 0) await parseStatementTexts(sql, schema, newQueryIds, target, cache)
  const matchingEntries = entries.flatMap(({ id, ...entry }) => {
    const uses = cache.get(id) ?? null
    return uses === null ? [] : [{ ...entry, ...uses }]
  })
  await sql`
    with /* sti */ before as (
      select * from sti.statement_watch where rollout = ${rollout}
    ), seen as (
      insert into sti.statement_watch as w (rollout, stats_reset, entries, deallocations)
      values (${rollout}, ${info!.since}, ${entries.length}, ${info!.thrownAway})
      on conflict (rollout) do update set
        restart_reason = case
          when w.stats_reset <> excluded.stats_reset then 'the counters were reset'
          when w.deallocations <> excluded.deallocations then 'entries were thrown away: raise pg_stat_statements.max'
          when w.entries > excluded.entries then 'entries were reset' else w.restart_reason end,
        watched_since = case when w.stats_reset <> excluded.stats_reset or w.deallocations <> excluded.deallocations
          or w.entries > excluded.entries then clock_timestamp() else w.watched_since end,
        last_polled_at = clock_timestamp(), stats_reset = excluded.stats_reset, entries = excluded.entries,
        deallocations = excluded.deallocations
    )
    insert into sti.column_use as u (rollout, entry_id, statement, role, reads, writes, only_through_star, analysis_fault, calls, last_called_at)
    select ${rollout}, entry, statement, role, reads, writes, "onlyThroughStar", unsure, calls,
      case when exists (select from before) then clock_timestamp() end
    from jsonb_to_recordset(${sql.json(matchingEntries)}::jsonb)
      as e(entry text, statement text, role text, reads jsonb, writes jsonb, "onlyThroughStar" boolean, unsure text, calls bigint)
    on conflict (rollout, entry_id) do update set
      statement = excluded.statement, reads = excluded.reads, writes = excluded.writes, only_through_star = excluded.only_through_star,
      analysis_fault = excluded.analysis_fault,
      last_called_at = case when u.calls <> excluded.calls then clock_timestamp() else u.last_called_at end, calls = excluded.calls`
}

async function parseStatementTexts(
  sql: Sql,
  schema: string,
  ids: readonly string[],
  target: { readonly target: ColumnUseTarget; readonly columnsOf: ColumnLookup },
  cache: StatementUseCache,
): Promise<void> {
  const texts = await sql<{ id: string; text: string | null; ours: boolean }[]>`
    select /* sti */ concat_ws(' ', userid, queryid) as id, min(query) as text,
      coalesce(bool_or(${sql.unsafe(OWN_STATEMENT_SQL)}), false) as ours
    from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
      and concat_ws(' ', userid, queryid) in (select jsonb_array_elements_text(${sql.json([...ids])}::jsonb)) group by 1`
  for (const { id, text, ours } of texts) cache.set(id, ours ? null : findStatementUses(text, target))
}

/** Statements that define objects, which other checks cover (dependent objects, function bodies). */
const DDL_STATEMENT_NODES =
  /^(View|Rule|Index|CreateFunction|CreatePolicy|AlterPolicy|CreateTrig|CreateStats|Comment|CreatePublication|AlterPublication)Stmt$/

/** Statements are stored up to this length in characters. */
export const MAX_STATEMENT_LENGTH = 1_000

const NO_USES = { reads: [], writes: [], onlyThroughStar: false }

function findStatementUses(
  text: string | null,
  { target, columnsOf }: { readonly target: ColumnUseTarget; readonly columnsOf: ColumnLookup },
): StatementUses | null {
  if (text === null)
    return { ...NO_USES, statement: '(its text is lost)', unsure: 'pg_stat_statements has lost its text' }
  const statement = text.slice(0, MAX_STATEMENT_LENGTH)
  // A statement that names a column of the table also names the table, or a view of it, which another check covers.
  if (!mentionsTarget(text, { ...target, legacy: [] }) && !/\bU&"/i.test(text)) return null
  try {
    const statements = parseStatements(text)
    if (statements.some((parsed) => parsed['DoStmt'] !== undefined) && mentionsTarget(text, target))
      return { ...NO_USES, statement, unsure: 'it is an anonymous block, whose body is not analyzed' }
    const { reads, writes, onlyThroughStar } = findColumnUses(
      statements.filter((parsed) => !Object.keys(parsed).some((kind) => DDL_STATEMENT_NODES.test(kind))),
      target,
      columnsOf,
    )
    return reads.length + writes.length === 0 ? null : { statement, reads, writes, onlyThroughStar, unsure: null }
  } catch (error) {
    return { ...NO_USES, statement, unsure: `it cannot be parsed (${messageOf(error)})` }
  }
}

export interface StatementWatch {
  /** In ISO 8601. Null: the watch has not started. */
  readonly since: string | null
  readonly restarted: string | null
  /** Most recently called first. */
  readonly uses: readonly (StatementUses & { readonly role: string; readonly calledAt: string | null })[]
}

export async function readStatements(sql: Sql, rollout: string): Promise<StatementWatch> {
  const [watch] = await sql<{ since: Date; restarted: string | null }[]>`
    select watched_since as since, restart_reason as restarted from sti.statement_watch where rollout = ${rollout}`
  const uses = await sql<(Omit<StatementUses, 'calledAt'> & { role: string; at: Date | null })[]>`
    select statement, role, reads, writes, only_through_star as "onlyThroughStar", analysis_fault as unsure, last_called_at as at from sti.column_use
    where rollout = ${rollout} order by last_called_at desc nulls last, entry_id limit 500`
  return {
    since: watch?.since.toISOString() ?? null,
    restarted: watch?.restarted ?? null,
    uses: uses.map(({ at, ...use }) => ({ ...use, calledAt: at?.toISOString() ?? null })),
  }
}
