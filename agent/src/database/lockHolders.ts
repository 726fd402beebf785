import { formatDuration } from '../format/format.ts'
import { createInterval } from '../interval.ts'
import type { Sql } from './connect.ts'

/** Who holds a lock: a session, or a prepared transaction, which has no session. */
export interface LockHolder {
  /** Null: a prepared transaction. */
  readonly pid: number | null
  /** The node of Citus, as `host:port`, that the session is on; null: the server that the agent is connected to. */
  readonly node: string | null
  /** The name (gid) of a prepared transaction. */
  readonly preparedName: string | null
  /** Null for a background process. */
  readonly user: string | null
  readonly application: string | null
  /** Such as `client backend` or `autovacuum worker`. */
  readonly backendType: string
  /** Such as `idle in transaction`. */
  readonly state: string | null
  /** Age of its transaction. */
  readonly seconds: number | null
  /** The current or last statement. */
  readonly query: string | null
}

/** A batch waits only for milliseconds. */
const FIRST_POLL_MS = 15
/** Once a holder is known. */
const POLL_INTERVAL_MS = 200
const MAX_QUERY_LENGTH = 80
const MAX_NAMED_HOLDERS = 3

/** Selects holders; `pids` and `prepared` are subqueries of their pids and of the transaction IDs of prepared ones. */
const holdersSql = (pids: string, prepared: string): string => `
  select a.pid, null as node, null as "preparedName", a.usename::text as "user", nullif(a.application_name, '') as application,
    coalesce(a.backend_type, 'unknown') as "backendType", a.state,
    extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds, nullif(left(a.query, 1000), '') as query
  from pg_stat_activity a where a.pid <> pg_backend_pid() and a.pid in (${pids})
  union all
  select null, null, p.gid, p.owner::text, null, 'prepared transaction', null,
    extract(epoch from clock_timestamp() - p.prepared)::float8, null
  from pg_prepared_xacts p where p.transaction in (${prepared})
  order by 8 desc nulls last`

/** Transaction IDs of the prepared transactions that hold a lock; in pg_locks they have a virtual ID, but no pid. */
const preparedHoldersSql = (locks: string): string => `
  select own.transactionid from pg_locks own where own.locktype = 'transactionid' and own.granted and own.pid is null
    and own.virtualtransaction in (select held.virtualtransaction from ${locks})`

/** The sessions and prepared transactions that a backend waits for now; empty: it does not wait for a lock. */
export async function readBlockers(sql: Sql, pid: number): Promise<LockHolder[]> {
  return await sql.unsafe<LockHolder[]>(
    `with /* sti */ waiting as materialized (select * from pg_locks where pid = $1::text::int and not granted)
    ${holdersSql(
      'select unnest(pg_blocking_pids($1::text::int)) where exists (select from waiting)',
      preparedHoldersSql(`pg_locks held join waiting w on held.granted and held.pid is null and held.locktype = w.locktype
        and row(held.database, held.relation, held.page, held.tuple, held.transactionid, held.virtualxid, held.classid, held.objid, held.objsubid)
          is not distinct from row(w.database, w.relation, w.page, w.tuple, w.transactionid, w.virtualxid, w.classid, w.objid, w.objsubid)`),
    )}`,
    [String(pid)],
  )
}

/** The sessions and prepared transactions with a lock on a table, its partitions, or its indexes. */
export async function readTableLockHolders(sql: Sql, table: string): Promise<LockHolder[]> {
  const locks = `pg_locks held where held.granted and held.locktype in ('relation', 'tuple') and held.mode <> 'SIReadLock'
    and held.database = (select oid from pg_database where datname = current_database())
    and held.relation in (select to_regclass($1::text) union all select relid from pg_partition_tree(to_regclass($1::text))
      union all select indexrelid from pg_index where indrelid = to_regclass($1::text))`
  return await sql.unsafe<LockHolder[]>(
    `select /* sti */ * from (${holdersSql(`select held.pid from ${locks} and held.pid is not null`, preparedHoldersSql(`${locks} and held.pid is null`))}) holders`,
    [table],
  )
}

/**
 * Runs a statement of `sql` and reads who blocks it in the meantime, through `observer`. `onBlockers` is called with
 * each answer that is not empty. Holders that cannot be read or reported are left out: the result of the statement does
 * not depend on them, and the next poll tries again.
 */
export async function observeBlockers<T>(
  observer: Sql,
  sql: Sql,
  statement: () => Promise<T>,
  onBlockers: (holders: readonly LockHolder[]) => void | Promise<void>,
): Promise<T> {
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  const polls = createInterval({
    intervalMs: FIRST_POLL_MS,
    delayFirstRun: true,
    onError: () => undefined,
    async run() {
      const holders = await readBlockers(observer, backend!.pid)
      if (holders.length === 0) return
      // pg_blocking_pids holds the locks of the lock manager for a moment.
      polls.setIntervalMs(POLL_INTERVAL_MS)
      await onBlockers(holders)
    },
  })
  polls.start()
  try {
    return await statement()
  } finally {
    await polls.stop()
  }
}

/** Names holders for people, those with the oldest transactions first. */
export function describeHolders(holders: readonly LockHolder[]): string {
  const named = holders.slice(0, MAX_NAMED_HOLDERS).map(describeHolder)
  const rest = holders.length - named.length
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join(' and ')
}

/** The name of each holder, without what changes while it holds the lock. */
export const nameHolders = (holders: readonly LockHolder[]): string[] =>
  holders.map(
    ({ pid, node, preparedName }) =>
      `${preparedName === null ? `pid ${pid}` : `prepared transaction ${printable(preparedName)}`}${onNode(node)}`,
  )

/** Identifies a holder, without the values that change while it holds the lock. */
export const holdersKey = (holders: readonly LockHolder[]): string => nameHolders(holders).join()

function describeHolder(holder: LockHolder): string {
  const { pid, node, preparedName, user, application, backendType, state, seconds, query } = holder
  const age =
    seconds === null ? 'transaction of unknown age' : `transaction ${formatDuration(Math.max(0, seconds))} old`
  if (preparedName !== null)
    return `prepared transaction ${printable(preparedName)}${onNode(node)} (${printable(user ?? 'unknown owner')}, ${age}): commit or roll it back`
  const isWraparound = /to prevent wraparound/.test(query ?? '')
  const facts = [
    printable(user ?? backendType),
    application === null ? null : `application ${printable(application)}`,
    user === null ? null : (state ?? backendType),
    age,
    isWraparound ? 'an autovacuum to prevent wraparound: let it finish' : null,
    query === null || isWraparound
      ? null
      : `${state === 'active' ? 'statement' : 'last statement'}: ${shorten(printable(query))}`,
  ]
  return `pid ${pid}${onNode(node)} (${facts.filter((fact) => fact !== null).join(', ')})`
}

const onNode = (node: string | null): string => (node === null ? '' : ` on node ${node}`)

/** Text from other sessions may contain any character. */
function printable(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim()
}

function shorten(text: string): string {
  return text.length > MAX_QUERY_LENGTH ? `${text.slice(0, MAX_QUERY_LENGTH)}…` : text
}
