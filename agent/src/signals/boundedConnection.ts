import type postgres from 'postgres'
import type { Sql } from '../database/connect.ts'

/** A dedicated connection for short queries, each bounded in time even if the server is frozen. */
export interface BoundedConnection {
  query<T extends readonly postgres.MaybeRow[]>(
    question: (sql: Sql) => Promise<postgres.RowList<T>>,
  ): Promise<postgres.RowList<T>>
  end(): Promise<void>
}

export class QueryTimeoutError extends Error {
  readonly code = 'not-answered'
  constructor(boundMs: number) {
    super(`PostgreSQL did not answer within ${boundMs} ms`)
  }
}

/**
 * `open` must set `statement_timeout` to about `boundMs`: a responsive server then ends the statement itself.
 * `query.cancel()` is not called: the driver (3.4.9) drops the promise of the cancel request, so when the server
 * cannot be reached its rejection ends the process. A connection that stays silent for twice the bound is dropped
 * instead.
 */
export function createBoundedConnection(open: () => Sql, timeoutMs: number): BoundedConnection {
  let client: Sql | undefined
  const silent = new WeakSet<Sql>()
  return {
    query(buildQuery) {
      const current = (client ??= open())
      const pendingQuery = buildQuery(current)
      return new Promise((resolve, reject) => {
        const timeoutTimer = setTimeout(() => reject(new QueryTimeoutError(timeoutMs)), timeoutMs)
        const dropTimer = setTimeout(() => {
          if (client === current) client = undefined
          silent.add(current)
          void current.end({ timeout: 0 })
        }, 2 * timeoutMs)
        // Later queries on a connection that is dropped fail with it, and for the same reason.
        const refuse = (error: unknown): void =>
          reject(silent.has(current) ? new QueryTimeoutError(timeoutMs) : (error as Error))
        pendingQuery.then(resolve, refuse).finally(() => {
          clearTimeout(timeoutTimer)
          clearTimeout(dropTimer)
        })
      })
    },
    async end() {
      const closing = client
      client = undefined
      await closing?.end({ timeout: 0 })
    },
  }
}
