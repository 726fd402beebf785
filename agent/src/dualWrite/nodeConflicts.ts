import { runOnWorkers } from '../citus/runOnWorkers.ts'
import { SEARCH_PATH, type Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { CONFLICT_RESOLUTIONS, conflictCounterNames, createConflictCountersSql } from './conflictCounts.ts'
import { dollarQuote } from './deriveTrigger.ts'

/** A node whose conflicts could not be read, and why. */
export interface UnreadNode {
  /** `host:port`, as the coordinator has it. */
  readonly node: string
  readonly reason: string
}

interface NodeCounters {
  /** The database, whatever its address: the server’s identifier and the database’s oid. */
  readonly database: string
  /** The node has all that the trigger writes to. */
  readonly ready: boolean
  readonly counters: Readonly<Record<string, number>> | null
}

/** How many conflicts of a node are collected at a time. */
const MAX_COLLECTED_ROWS = 1_000

/**
 * The trigger of a shard counts conflicts on the node of the shard, since it cannot write to the coordinator. This creates the
 * counters on every node that lacks them, and moves what they have counted since into schema `sti` of the coordinator, so
 * that all else reads conflicts there only. A conflict is deleted on its node once it is stored here, and its origin keeps
 * another agent from storing it twice. Returns the nodes that did not take part.
 */
export async function collectNodeConflicts(sql: Sql, rollout: Rollout, table: Table | null): Promise<UnreadNode[]> {
  if (table === null || !hasConflictsOnNodes(rollout, table)) return []
  let nodes = await readNodeCounters(sql, rollout)
  if (nodes.some(({ state }) => state?.ready === false)) {
    const created = await runOnWorkers(sql, await nodeCountersSql(sql, rollout))
    nodes = await readNodeCounters(sql, rollout)
    for (const { node, success, result } of created)
      nodes = nodes.map((read) =>
        read.node === node && read.state?.ready === false && !success
          ? { ...read, state: null, reason: result ?? 'no answer' }
          : read,
      )
  }
  for (const { state } of nodes) if (state !== null) await storeCounters(sql, state)
  await collectRows(sql, rollout, nodes)
  return nodes.flatMap(({ node, state, reason }) => (state?.ready ? [] : [{ node, reason }]))
}

/** The shard of a local table is on the coordinator. */
function hasConflictsOnNodes({ file }: Rollout, { citus }: Table): boolean {
  return citus !== null && citus.type !== 'local' && file.dualWrite === 'trigger'
}

interface NodeState {
  readonly node: string
  /** Null: the node was not read. */
  readonly state: NodeCounters | null
  readonly reason: string
}

async function readNodeCounters(sql: Sql, rollout: Rollout): Promise<NodeState[]> {
  const names = conflictCounterNames(rollout)
  const list = `array[${names.map(quoteLiteral).join(', ')}]::text[]`
  const rows = await runOnWorkers(
    sql,
    `select pg_catalog.jsonb_build_object(
      'database', pg_catalog.concat((select system_identifier from pg_catalog.pg_control_system()), '/',
        (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())),
      'ready', pg_catalog.to_regclass('sti.conflict') is not null and pg_catalog.to_regproc('sti.record_conflict') is not null
        and pg_catalog.to_regproc('sti.record_correction') is not null
        and (select pg_catalog.count(*) = ${names.length} from pg_catalog.pg_sequences where schemaname = 'sti' and sequencename = any (${list})),
      'counters', (select pg_catalog.jsonb_object_agg(sequencename, last_value) from pg_catalog.pg_sequences
        where schemaname = 'sti' and sequencename = any (${list}) and last_value is not null))`,
  )
  return rows.map(({ node, success, result }) => ({
    node,
    state: success ? (JSON.parse(result!) as NodeCounters) : null,
    reason: success ? 'it has no counters of conflicts' : (result ?? 'no answer'),
  }))
}

/**
 * One command that creates on a node what the trigger writes to: a table of conflicts as the coordinator has it, the
 * functions, and the counters. Citus does not carry it further.
 */
async function nodeCountersSql(sql: Sql, rollout: Rollout): Promise<string> {
  const { table, functions } = onlyRow(
    await sql<{ table: string; functions: string[] }[]>`
      select /* sti */ (select 'create table if not exists sti.conflict (' || string_agg(concat_ws(' ', quote_ident(a.attname),
            format_type(a.atttypid, a.atttypmod),
            case when a.attidentity <> '' then 'generated always as identity primary key'
              when d.adbin is not null then 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
            case when a.attnotnull then 'not null' end), ', ' order by a.attnum) || ')'
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = 'sti.conflict'::regclass and a.attnum > 0 and not a.attisdropped) as table,
        (select jsonb_agg(pg_get_functiondef(oid)) from pg_proc
          where oid in ('sti.record_conflict'::regproc, 'sti.record_correction'::regproc)) as functions`,
  )
  const commands = [
    'create schema if not exists sti',
    table,
    ...functions,
    'revoke execute on function sti.record_conflict, sti.record_correction from public',
    ...createConflictCountersSql(rollout, CONFLICT_RESOLUTIONS),
  ]
  const body = commands.map((command) => `execute ${dollarQuote(command)};`).join('\n')
  return `do ${dollarQuote(`begin
    perform pg_catalog.set_config('search_path', '${SEARCH_PATH}', true), pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true);
    ${body}
  end`)}`
}

async function storeCounters(sql: Sql, { database, counters }: NodeCounters): Promise<void> {
  if (counters === null) return
  await sql`
    insert into sti.node_counter as c (database, counter, value)
    select ${database}, key, value::bigint from jsonb_each_text(${sql.json(counters)})
    on conflict (database, counter) do update set value = greatest(c.value, excluded.value) where c.value < excluded.value`
}

async function collectRows(sql: Sql, rollout: Rollout, nodes: readonly NodeState[]): Promise<void> {
  const databases = new Map(nodes.flatMap(({ node, state }) => (state?.ready ? [[node, state.database] as const] : [])))
  const name = quoteLiteral(rollout.name)
  const found = await runOnWorkers(
    sql,
    `select coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c)), '[]') from (select * from sti.conflict where rollout = ${name} order by id limit ${MAX_COLLECTED_ROWS}) c`,
    [...databases.keys()],
  )
  for (const { node, success, result } of found) {
    const rows = success ? (JSON.parse(result!) as { id: number }[]) : []
    if (rows.length === 0) continue
    // A statement on a shard names the shard.
    await sql`
      insert into sti.conflict (rollout, at, key, resolution, written_type, legacy_type, statement, writer, origin)
      select c.rollout, c.at, c.key, c.resolution, c.written_type, c.legacy_type,
        regexp_replace(c.statement, ${`(${rollout.table.name.replaceAll(/[^\w]/g, '\\$&')})_[0-9]+`}, '\\1', 'g'), c.writer,
        -- A table that was made again numbers its conflicts from 1 again.
        concat_ws(' ', ${node}::text, ${databases.get(node)!}::text, c.id, extract(epoch from c.at))
      from jsonb_populate_recordset(null::sti.conflict, ${sql.json(rows)}) c order by c.id
      on conflict (origin) do nothing`
    await runOnWorkers(sql, `delete from sti.conflict where id in (${rows.map(({ id }) => id).join(', ')})`, [node])
  }
}
