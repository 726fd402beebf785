import type postgres from 'postgres'
import type { Sql } from '../database/connect.ts'
import { errorCode, isConnectionError } from '../database/errors.ts'
import { readOnlyQuery } from '../database/readOnlyQuery.ts'
import { createResolvedQuery, QueryRefusedError, type QueryScope } from '../rollout/resolveQuery.ts'
import { QueryTimeoutError, type BoundedConnection } from './boundedConnection.ts'
import { SignalUnknownError } from './reading.ts'

/** A query of the rollout file that is run again and again. */
export interface RolloutQuery {
  /** Runs it, embedded in another query if `embed` says so. @throws SignalUnknownError if it must not run */
  run<Row extends postgres.MaybeRow>(embed?: (query: string) => string): Promise<postgres.RowList<Row[]>>
}

export function createRolloutQuery(options: {
  readonly connection: BoundedConnection
  /** A connection to the primary that may write; it resolves the names of the query and is closed again. */
  readonly open: () => Sql
  readonly scope: QueryScope
  readonly query: string
}): RolloutQuery {
  const resolved = createResolvedQuery(options.open, options.scope, options.query)
  const resolveOrUnknown = async (): Promise<string> => {
    try {
      return await resolved.text()
    } catch (error) {
      if (error instanceof QueryRefusedError) throw new SignalUnknownError(`the query is refused: ${error.message}`)
      throw error
    }
  }
  return {
    async run<Row extends postgres.MaybeRow>(embed = (query: string) => query) {
      const text = embed(await resolveOrUnknown())
      try {
        return await options.connection.query((sql) => readOnlyQuery<Row[]>(sql, text))
      } catch (error) {
        // A timeout or a lost connection says nothing about its names.
        if (!isConnectionError(error) && !(error instanceof QueryTimeoutError) && errorCode(error) !== '57014')
          resolved.forget()
        throw error
      }
    },
  }
}
