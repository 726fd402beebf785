import type postgres from 'postgres'
import type { Sql } from '../database/connect.ts'

/** A connection of its own for short questions, each bounded in time even when the server is frozen. */
export interface Probe {
  ask<T extends readonly postgres.MaybeRow[]>(
    question: (sql: Sql) => postgres.PendingQuery<T>,
  ): Promise<postgres.RowList<T>>
  end(): Promise<void>
}

export class NotAnswered extends Error {
  readonly code = 'not-answered'
  constructor(boundMs: number) {
    super(`PostgreSQL did not answer within ${boundMs} ms`)
  }
}

/**
 * `open` must set `statement_timeout` to about `boundMs`: a server that is alive then ends the statement by itself. We
 * do not call `query.cancel()`: the driver (3.4.9) drops the promise of the cancel request, so when the server cannot
 * be reached its rejection ends the process. A connection that stays silent for twice the bound is dropped instead.
 */
export function probe(open: () => Sql, boundMs: number): Probe {
  let client: Sql | undefined
  return {
    ask(question) {
      const asked = (client ??= open())
      const query = question(asked)
      return new Promise((resolve, reject) => {
        const bound = setTimeout(() => reject(new NotAnswered(boundMs)), boundMs)
        const drop = setTimeout(() => {
          if (client === asked) client = undefined
          void asked.end({ timeout: 0 })
        }, 2 * boundMs)
        query.then(resolve, reject).finally(() => {
          clearTimeout(bound)
          clearTimeout(drop)
        })
      })
    },
    async end() {
      const last = client
      client = undefined
      await last?.end({ timeout: 0 })
    },
  }
}
