import type postgres from 'postgres'
import { tagStatement } from './tagStatement.ts'

/**
 * Tags every statement of a client as one of the agent, and watches it until it is settled: `waits` is called when it is handed to the driver, and what
 * that returns when its answer is there. An answer with holes is refused: the driver (postgres.js 3.4.9) counts the rows
 * of an answer in a variable that only the end of that answer sets back, so when a connection dies in between, the next
 * answer begins with as many holes as rows had come, and its first row would be read as no row.
 */
export function guardResults<T extends postgres.Sql<{ bigint: bigint }>>(sql: T, onSend: () => () => void): T {
  const guardIfQuery = (result: unknown): unknown => (result instanceof Promise ? guardQuery(result, onSend) : result)
  const unsafe = sql.unsafe.bind(sql) as (...args: unknown[]) => unknown
  sql.unsafe = ((...args: unknown[]) => guardIfQuery(unsafe(...args))) as T['unsafe']
  // Fragments pass through as well but are never executed; identifiers and value lists are not promises.
  return new Proxy(sql, {
    apply: (target, self, args) => guardIfQuery(Reflect.apply(target as (...args: unknown[]) => unknown, self, args)),
  })
}

/** The properties of the driver's promise through which it gets and settles a statement. */
interface DriverQuery {
  /** The parts of the text between its parameters. */
  strings: readonly string[]
  handler: (statement: unknown) => void
  resolve: (answer: unknown) => void
  reject: (error: unknown) => void
}

function guardQuery(result: Promise<unknown>, onSend: () => () => void): Promise<unknown> {
  const query = result as unknown as DriverQuery
  const { handler, resolve, reject } = query
  let onSettled = (): void => undefined
  query.handler = (argument) => {
    const [start, ...rest] = query.strings
    query.strings = [tagStatement(start!), ...rest]
    onSettled = onSend()
    handler(argument)
  }
  query.resolve = (rows) => {
    onSettled()
    if (hasHoles(rows))
      reject(
        new IncompleteResultError(
          'an earlier connection was lost in the middle of a result, and this result was lost with it',
        ),
      )
    else resolve(rows)
  }
  query.reject = (error) => {
    onSettled()
    reject(error)
  }
  return result
}

/** One result, or the results of several statements in one text. */
function hasHoles(rows: unknown): boolean {
  if (!Array.isArray(rows) || rows.length === 0) return false
  return !(0 in rows) || (Array.isArray(rows[0]) && rows.some(hasHoles))
}

/** Treated like a lost connection: the rows are unknown, and the statement is retried. */
export class IncompleteResultError extends Error {
  readonly code = 'CONNECTION_CLOSED'
}
