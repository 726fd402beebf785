import type postgres from 'postgres'

/**
 * Watches every statement of a client until it is settled: `waits` is called when it is handed to the driver, and what
 * that returns when its answer is there. An answer with holes is refused: the driver (postgres.js 3.4.9) counts the rows
 * of an answer in a variable that only the end of that answer sets back, so when a connection dies in between, the next
 * answer begins with as many holes as rows had come, and its first row would be read as no row.
 */
export function watchAnswers<T extends postgres.Sql<{ bigint: bigint }>>(sql: T, waits: () => () => void): T {
  const watched = (made: unknown): unknown => (made instanceof Promise ? watch(made, waits) : made)
  const unsafe = sql.unsafe.bind(sql) as (...of: unknown[]) => unknown
  sql.unsafe = ((...of: unknown[]) => watched(unsafe(...of))) as T['unsafe']
  // Fragments pass through it too, and are never handed over; names and lists of values are no promises.
  return new Proxy(sql, {
    apply: (target, self, of) => watched(Reflect.apply(target as (...of: unknown[]) => unknown, self, of)),
  })
}

/** The driver is handed a statement, and settles it, by these properties of its own promise. */
interface Statement {
  handler: (statement: unknown) => void
  resolve: (answer: unknown) => void
  reject: (error: unknown) => void
}

function watch(made: Promise<unknown>, waits: () => () => void): Promise<unknown> {
  const statement = made as unknown as Statement
  const { handler, resolve, reject } = statement
  let settled = (): void => undefined
  statement.handler = (of) => {
    settled = waits()
    handler(of)
  }
  statement.resolve = (answer) => {
    settled()
    if (hasHoles(answer))
      reject(new LostAnswer('an earlier connection died in the middle of an answer, and this answer was lost with it'))
    else resolve(answer)
  }
  statement.reject = (error) => {
    settled()
    reject(error)
  }
  return made
}

/** One result, or those of several statements in one text. */
function hasHoles(answer: unknown): boolean {
  if (!Array.isArray(answer) || answer.length === 0) return false
  return !(0 in answer) || (Array.isArray(answer[0]) && answer.some(hasHoles))
}

/** As good as a lost connection: nobody knows the rows, and the statement is asked again. */
export class LostAnswer extends Error {
  readonly code = 'CONNECTION_CLOSED'
}
