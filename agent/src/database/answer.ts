import type postgres from 'postgres'

/**
 * Makes every statement of a client refuse an answer with holes. The driver (postgres.js 3.4.9) counts the rows of an
 * answer in a variable that only the end of that answer sets back: when a connection dies in between, the next answer
 * begins with as many holes as rows had come, and its first row would be read as no row.
 */
export function refuseHoles<T extends postgres.Sql<{ bigint: bigint }>>(sql: T): T {
  const unsafe = sql.unsafe.bind(sql) as (...of: unknown[]) => unknown
  sql.unsafe = ((...of: unknown[]) => guarded(unsafe(...of))) as T['unsafe']
  return new Proxy(sql, {
    apply: (target, self, of) => guarded(Reflect.apply(target as (...of: unknown[]) => unknown, self, of)),
  })
}

/** The driver settles a statement by this property of its own promise. */
interface Statement {
  resolve: (answer: unknown) => void
  reject: (error: unknown) => void
}

/** Fragments, names and lists of values pass as they are. */
function guarded(made: unknown): unknown {
  if (!(made instanceof Promise)) return made
  const statement = made as unknown as Statement
  const { resolve, reject } = statement
  statement.resolve = (answer) => (hasHoles(answer) ? reject(new LostAnswer()) : resolve(answer))
  return made
}

/** One result, or those of several statements in one text. */
function hasHoles(answer: unknown): boolean {
  if (!Array.isArray(answer) || answer.length === 0) return false
  return !(0 in answer) || (Array.isArray(answer[0]) && answer.some(hasHoles))
}

/** As good as a lost connection: nobody knows the rows, and the statement is asked again. */
class LostAnswer extends Error {
  readonly code = 'CONNECTION_CLOSED'
  constructor() {
    super('an earlier connection died in the middle of an answer, and this answer was lost with it')
  }
}
