import postgres from 'postgres'
import { guardResults } from './incompleteResultGuard.ts'
import { createSocketTimeout } from './socketTimeout.ts'

export type Sql = postgres.Sql<{ bigint: bigint }>

export interface Database {
  /** Short statements on our own state: statement_timeout 5 s, at most 6 connections. */
  readonly state: Sql
  /** One connection that nothing else uses, so that turning the flag off never waits for a free one. */
  readonly urgent: Sql
  /**
   * A connection of its own for work on the user's table. Its settings come with the connection: set inside a
   * statement, row_security and statement_timeout would come too late. The caller ends it.
   */
  engine(settings?: EngineSettings): Sql
  /** The same on the replica that reads may go to; null: there is none. It may be behind, or away. */
  readonly replica: ((settings?: EngineSettings) => Sql) | null
  close(): Promise<void>
}

export interface EngineSettings {
  /** What pg_stat_activity shows after the agent's name. */
  purpose?: string
  statementTimeoutMs?: number
  lockTimeoutMs?: number
  /** Schemas to look in after pg_catalog; the same ones for every statement that evaluates the user's expressions. */
  searchPath?: string
  readOnly?: boolean
  /**
   * It works in ranges of the key or of pages, which an index finds. Where rows do not lie in the order of their key
   * PostgreSQL would rather read the whole table, again for each range.
   */
  avoidSeqScan?: boolean
  /** Long statements that only read may use as many processes as a query of the application does. */
  parallel?: boolean
}

/**
 * We never use `begin` or `reserve()` of the driver: a connection that dies under either throws where nobody can
 * catch it (postgres.js 3.4.9). A transaction is one call: one statement, or several in one `unsafe` text.
 */
export function connect(url: string, agent: string, replicaUrl: string | null = null): Database {
  const openServer = (
    serverUrl: string,
    max: number,
    purpose: string,
    socketTimeoutMs: number | null,
    settings: Record<string, string>,
  ): Sql => {
    const socketTimeout = socketTimeoutMs === null ? null : createSocketTimeout(socketTimeoutMs)
    const sql = postgres(serverUrl, {
      max,
      prepare: true,
      fetch_types: false,
      connect_timeout: 2,
      idle_timeout: 0,
      max_lifetime: null,
      backoff: () => 0.05,
      onnotice: () => undefined,
      types: { bigint: postgres.BigInt },
      connection: { application_name: `sti ${agent} ${purpose}`.slice(0, 63), ...settings },
      // The driver takes it; its types do not know it.
      ...(socketTimeout === null ? {} : { socket: socketTimeout.socket }),
    })
    return guardResults(sql, socketTimeout?.watchStatement ?? (() => () => undefined))
  }
  const open = (max: number, purpose: string, socketTimeoutMs: number | null, settings: Record<string, string>): Sql =>
    openServer(url, max, purpose, socketTimeoutMs, settings)
  // Silent for less than a lease: the heartbeat must get through on another connection before it runs out.
  const state = open(6, 'state', 7_000, { statement_timeout: '5000', lock_timeout: '4000' })
  const urgent = open(1, 'urgent', 4_000, { statement_timeout: '2000', lock_timeout: '1500' })
  const engines = new Set<Sql>()
  const engineFactory =
    (serverUrl: string) =>
    (settings: EngineSettings = {}): Sql => {
      const timeoutMs = settings.statementTimeoutMs ?? 30_000
      // What may take any time has no deadline.
      const socketTimeoutMs = timeoutMs === 0 ? null : timeoutMs + 2_000
      // As text: the driver leaves out a 0, and then a time-out of the role would hold.
      const sql = openServer(serverUrl, 1, settings.purpose ?? 'engine', socketTimeoutMs, {
        statement_timeout: String(timeoutMs),
        lock_timeout: String(settings.lockTimeoutMs ?? 1_000),
        row_security: 'off',
        search_path: settings.searchPath ?? 'pg_catalog, pg_temp',
        'sti.engine': 'on',
        // Compiling a statement, or starting workers for it, takes longer than a batch.
        jit: 'off',
        // A plan that is made for any range takes no workers.
        ...(settings.parallel ? { plan_cache_mode: 'force_custom_plan' } : { max_parallel_workers_per_gather: '0' }),
        ...(settings.avoidSeqScan ? { enable_seqscan: 'off' } : {}),
        ...(settings.readOnly ? { default_transaction_read_only: 'on' } : {}),
      })
      engines.add(sql)
      const end = sql.end.bind(sql)
      sql.end = async (options) => {
        engines.delete(sql)
        await end(options)
      }
      return sql
    }
  return {
    state,
    urgent,
    engine: engineFactory(url),
    replica: replicaUrl === null ? null : engineFactory(replicaUrl),
    async close() {
      await Promise.all([state, urgent, ...engines].map((sql) => sql.end({ timeout: 2 })))
    },
  }
}
