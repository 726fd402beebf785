import postgres from 'postgres'
import { parseConnectionUrl, type ConnectionTarget } from './connectionUrl.ts'
import { guardResults } from './incompleteResultGuard.ts'
import { createPoolingCheck, type PoolingCheck } from './poolingCheck.ts'
import type { SessionProfile } from './sessionSettings.ts'
import { createSessionStream } from './sessionStream.ts'
import { createSocketTimeout } from './socketTimeout.ts'

export type Sql = postgres.Sql<{ bigint: bigint }>

export interface Database {
  /** For short statements on the state in schema `sti`: statement_timeout 5 s, 6 connections by default. */
  readonly state: Sql
  /** A reserved connection, so that turning the flag off never waits for a free one. */
  readonly urgent: Sql
  /** Opens a dedicated connection for work on the user's table. The caller closes it. */
  engine(settings?: EngineSettings): Sql
  /** The same on the replica for reads, which may lag or be unavailable; null if there is none. */
  readonly replica: ((settings?: EngineSettings) => Sql) | null
  /**
   * Checks that a pooler between the agent and the database still keeps the sessions apart.
   * @throws SessionRefusedError if it does not
   */
  recheckPooling(): Promise<void>
  close(): Promise<void>
}

/** How an engine connection differs from its defaults. */
export interface EngineSettings extends Partial<Omit<SessionProfile, 'engine'>> {
  /** The purpose, which pg_stat_activity shows after the agent's name. */
  purpose?: string
}

/** Nothing that another role can create is found by its name alone. Every function of the agent has it too. */
export const SEARCH_PATH = 'pg_catalog, pg_temp'
const STATE: SessionProfile = {
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 4_000,
  searchPath: SEARCH_PATH,
  engine: false,
  readOnly: false,
  avoidSeqScan: false,
  parallel: false,
  inShards: false,
}
const URGENT: SessionProfile = { ...STATE, statementTimeoutMs: 2_000, lockTimeoutMs: 1_500 }
const ENGINE: SessionProfile = { ...STATE, engine: true, statementTimeoutMs: 30_000, lockTimeoutMs: 1_000 }

/** Connections for short statements on the state, unless the configuration sets another number. */
export const STATE_CONNECTIONS = 6

interface ConnectOptions {
  readonly replicaUrl?: string | null
  readonly stateConnections?: number
}

/**
 * Does not use the driver's `begin` and `reserve()`: if their connection is lost, they throw where the error cannot
 * be caught (postgres.js 3.4.9). A transaction is one call: one statement, or several in one `unsafe` text.
 * @throws ConnectionUrlError
 */
export function connect(
  url: string,
  agent: string,
  { replicaUrl = null, stateConnections = STATE_CONNECTIONS }: ConnectOptions = {},
): Database {
  const primary = createServer(parseConnectionUrl(url), agent)
  const replica = replicaUrl === null ? null : createServer(parseConnectionUrl(replicaUrl), agent)
  // Shorter than a lease: the heartbeat must succeed on another connection before the lease expires.
  const state = primary.open({ max: stateConnections, purpose: 'state', socketTimeoutMs: 7_000, profile: STATE })
  const urgent = primary.open({ max: 1, purpose: 'urgent', socketTimeoutMs: 4_000, profile: URGENT })
  const engines = new Set<Sql>()
  const engineFactory =
    (server: Server) =>
    ({ purpose = 'engine', ...settings }: EngineSettings = {}): Sql => {
      const profile: SessionProfile = { ...ENGINE, ...settings }
      // Statements of unlimited duration have no timeout.
      const socketTimeoutMs = profile.statementTimeoutMs === 0 ? null : profile.statementTimeoutMs + 2_000
      const sql = server.open({ max: 1, purpose, socketTimeoutMs, profile })
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
    engine: engineFactory(primary),
    replica: replica === null ? null : engineFactory(replica),
    recheckPooling: primary.recheckPooling,
    async close() {
      await Promise.all([state, urgent, ...engines].map((sql) => sql.end({ timeout: 2 })))
    },
  }
}

interface Server {
  open(client: ClientOptions): Sql
  recheckPooling(): Promise<void>
}

interface ClientOptions {
  readonly max: number
  readonly purpose: string
  /** Null: a statement may take any time. */
  readonly socketTimeoutMs: number | null
  /** Null: the sessions are used as they are. */
  readonly profile: SessionProfile | null
}

function createServer(target: ConnectionTarget, agent: string): Server {
  const open = ({ max, purpose, socketTimeoutMs, profile }: ClientOptions): Sql => {
    const socketTimeout = socketTimeoutMs === null ? null : createSocketTimeout(socketTimeoutMs)
    const applicationName = nameSession(`sti ${agent} ${purpose}`, target.applicationName)
    const [{ name, port }] = target.hosts as [ConnectionTarget['hosts'][0]]
    const options = {
      // Only for messages of the driver: the session stream knows where to connect.
      host: [name],
      port: [port],
      user: target.user,
      // As a function: the driver would read an empty one from the environment.
      pass: () => target.password,
      database: target.database,
      max,
      prepare: true,
      fetch_types: false,
      // The session stream bounds the time for each host, and encrypts.
      connect_timeout: 0,
      ssl: false,
      idle_timeout: 0,
      max_lifetime: null,
      backoff: () => 0.05,
      onnotice: () => undefined,
      types: { bigint: postgres.BigInt },
      connection: { sti_startup: STARTUP_PADDING },
      socket: () => {
        const session = createSessionStream({ target, applicationName, profile, pooling })
        socketTimeout?.track(session)
        return session
      },
    }
    const sql = postgres(options as unknown as postgres.Options<{ bigint: postgres.PostgresType<bigint> }>)
    return guardResults(sql, socketTimeout?.watchStatement ?? (() => () => undefined))
  }
  const pooling: PoolingCheck = createPoolingCheck(() =>
    open({ max: 1, purpose: 'pooling', socketTimeoutMs: POOLING_TIMEOUT_MS, profile: null }),
  )
  return { open, recheckPooling: pooling.recheck }
}

const POOLING_TIMEOUT_MS = 10_000

/**
 * The driver keeps what it could not write to a connection that died, with a timer that it has cleared, and then writes
 * nothing more until it has 1,024 bytes: a startup packet of that size sets it free. The session stream drops all of it.
 */
const STARTUP_PADDING = 'x'.repeat(1_024)
const MAX_NAME_BYTES = 63

/** PostgreSQL keeps 63 ASCII characters of the name of a session. */
function nameSession(name: string, appended: string | null): string {
  return `${name}${appended === null ? '' : ` ${appended}`}`.replace(/[^ -~]/g, '?').slice(0, MAX_NAME_BYTES)
}
