import postgres from 'postgres'
import { guardResults } from './incompleteResultGuard.ts'
import { createSocketTimeout } from './socketTimeout.ts'

export type Sql = postgres.Sql<{ bigint: bigint }>

export interface Database {
  /** For short statements on the state in schema `sti`: statement_timeout 5 s, at most 6 connections. */
  readonly state: Sql
  /** A reserved connection, so that turning the flag off never waits for a free one. */
  readonly urgent: Sql
  /**
   * Opens a dedicated connection for work on the user's table. Its settings are startup parameters, since setting
   * row_security and statement_timeout inside a statement would be too late. The caller closes it.
   */
  engine(settings?: EngineSettings): Sql
  /** The same on the replica for reads, which may lag or be unavailable; null if there is none. */
  readonly replica: ((settings?: EngineSettings) => Sql) | null
  close(): Promise<void>
}

export interface EngineSettings {
  /** The purpose, which pg_stat_activity shows after the agent's name. */
  purpose?: string
  statementTimeoutMs?: number
  lockTimeoutMs?: number
  /** The schemas after pg_catalog; the same for every statement that evaluates the user's expressions. */
  searchPath?: string
  readOnly?: boolean
  /**
   * For work in ranges of keys or pages, which an index finds. If rows are not stored in key order, PostgreSQL might
   * otherwise read the whole table for each range.
   */
  avoidSeqScan?: boolean
  /** Long read-only statements may use as many processes as the application's queries. */
  parallel?: boolean
}

/**
 * Does not use the driver's `begin` and `reserve()`: if their connection is lost, they throw where the error cannot
 * be caught (postgres.js 3.4.9). A transaction is one call: one statement, or several in one `unsafe` text.
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
      // The driver supports this option, but its types lack it.
      ...(socketTimeout === null ? {} : { socket: socketTimeout.socket }),
    })
    return guardResults(sql, socketTimeout?.watchStatement ?? (() => () => undefined))
  }
  const open = (max: number, purpose: string, socketTimeoutMs: number | null, settings: Record<string, string>): Sql =>
    openServer(url, max, purpose, socketTimeoutMs, settings)
  // Shorter than a lease: the heartbeat must succeed on another connection before the lease expires.
  const state = open(6, 'state', 7_000, { statement_timeout: '5000', lock_timeout: '4000' })
  const urgent = open(1, 'urgent', 4_000, { statement_timeout: '2000', lock_timeout: '1500' })
  const engines = new Set<Sql>()
  const engineFactory =
    (serverUrl: string) =>
    (settings: EngineSettings = {}): Sql => {
      const timeoutMs = settings.statementTimeoutMs ?? 30_000
      // Statements of unlimited duration have no timeout.
      const socketTimeoutMs = timeoutMs === 0 ? null : timeoutMs + 2_000
      // As text, since the driver omits a 0, and the role's timeout would then apply.
      const sql = openServer(serverUrl, 1, settings.purpose ?? 'engine', socketTimeoutMs, {
        statement_timeout: String(timeoutMs),
        lock_timeout: String(settings.lockTimeoutMs ?? 1_000),
        row_security: 'off',
        search_path: settings.searchPath ?? 'pg_catalog, pg_temp',
        'sti.engine': 'on',
        // JIT compilation or parallel workers would take longer than a batch.
        jit: 'off',
        // A generic plan for all ranges must not use workers.
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
