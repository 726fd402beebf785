import { quoteLiteral } from '../rollout/identifiers.ts'
import type { BoundedConnection } from './boundedConnection.ts'

/** Writes an SQL condition on a column of application names: true for the sessions of this agent. */
export type OwnSessionCondition = (applicationName: string) => string

/** Reads one row of one server: the one that the agent is connected to, or a worker of Citus. */
export interface ServerQuery {
  /** @throws errors of PostgreSQL; QueryTimeoutError */
  read<Row extends object>(buildSql: (isOwnSession: OwnSessionCondition) => string): Promise<Row>
}

/** `ownApplicationPrefix` is `sti <agent> `, the start of the application_name of the agent's own sessions. */
export function createServerQuery(connection: BoundedConnection, ownApplicationPrefix: string): ServerQuery {
  const isOwnSession: OwnSessionCondition = (column) =>
    `pg_catalog.starts_with(${column}, ${quoteLiteral(ownApplicationPrefix)})`
  return {
    async read<Row extends object>(buildSql: (isOwn: OwnSessionCondition) => string) {
      const [row] = await connection.query<Row[]>((sql) =>
        sql.unsafe<Row[]>(buildSql(isOwnSession), [], { prepare: true }),
      )
      if (!row) throw new Error('PostgreSQL returned no row')
      return row
    },
  }
}

export interface WorkerAddress {
  readonly host: string
  readonly port: number
}

/** Stands for the identifiers of the agent's sessions, which the coordinator fills in. */
const OWN_SESSIONS = '{own sessions of sti}'

/**
 * Reads a worker through the coordinator. The name of a session there ends with the identifier of the session at the
 * coordinator that it works for: `citus_internal gpid=10000000123`.
 */
export function createWorkerQuery(
  connection: BoundedConnection,
  ownApplicationPrefix: string,
  { host, port }: WorkerAddress,
): ServerQuery {
  const isOwnSession: OwnSessionCondition = (column) =>
    `coalesce(pg_catalog.substring(${column}, 'gpid=([0-9]+)$') = any ('${OWN_SESSIONS}'::text[]), false)`
  return {
    async read<Row extends object>(buildSql: (isOwn: OwnSessionCondition) => string) {
      const command = `select pg_catalog.row_to_json(r) from (${buildSql(isOwnSession)}) r`
      const [answer] = await connection.query<{ success: boolean; result: string | null }[]>(
        (sql) => sql`
        with /* sti */ own as (
          select coalesce(array_agg(citus_calculate_gpid(citus_coordinator_nodeid(), pid)), '{}')::text as sessions
          from pg_stat_activity where starts_with(application_name, ${ownApplicationPrefix}))
        select w.success, w.result from own, master_run_on_worker(array[${host}]::text[], array[${port}]::int[],
          array[replace(${command}, ${OWN_SESSIONS}, own.sessions)], false) w`,
      )
      if (!answer?.success) throw new Error(answer?.result?.trim() || 'the node does not answer')
      if (!answer.result) throw new Error('PostgreSQL returned no row')
      return JSON.parse(answer.result) as Row
    },
  }
}
