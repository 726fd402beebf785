import { ENDED_STATES } from '../contract/index.ts'
import type { Sql } from './connect.ts'

/**
 * The ended states as a list for `in` and `not in`. They are constants in the statement, not parameters: the planner
 * uses a partial index only if the statement repeats its predicate.
 */
export const endedStates = (sql: Sql) => sql.unsafe(`(${ENDED_STATES.map((state) => `'${state}'`).join(', ')})`)
