import type { Sql } from '../database/connect.ts'
import { dryRun } from './dryRun.ts'
import { InvalidSqlError } from './identifiers.ts'
import { createProbeSql, OUTPUT_SETTINGS, PROBE_BODIES_SQL, statementOf } from './nameProbe.ts'
import { objectFault, usedObjectsSql, type UsedObject } from './outsideObjects.ts'
import { parseQuery } from './parseQuery.ts'
import type { Rollout } from './rollout.ts'

/** The part of a rollout that decides what the names of its queries mean. */
export type QueryScope = Pick<Rollout, 'nameSearchPath' | 'table'>

/** A query of the rollout file that must not run as it is. `sqlstate`: PostgreSQL refuses it. */
export class QueryRefusedError extends Error {
  readonly code = 'query-refused'
  readonly sqlstate: string | null
  constructor(message: string, sqlstate: string | null) {
    super(message)
    this.sqlstate = sqlstate
  }
}

/**
 * Lets PostgreSQL resolve every name in a query of the rollout file, without running it. `sql` may write; nothing remains.
 * @throws QueryRefusedError also if it uses code that would run with the privileges of the agent and belongs to a role
 *   that is not trusted with them
 */
export async function resolveQuery(sql: Sql, { nameSearchPath, table }: QueryScope, query: string): Promise<string> {
  requireOneSelect(query)
  const result = await dryRun(sql, [
    `set local search_path = ${nameSearchPath}`,
    createProbeSql({ name: 'query', columns: [], returns: 'setof record', statement: query }),
    OUTPUT_SETTINGS,
    `select ${PROBE_BODIES_SQL} as bodies, (select coalesce(jsonb_agg(to_jsonb(used)), '[]') from (${usedObjectsSql(table)}) used) as objects`,
  ])
  if ('refused' in result) throw new QueryRefusedError(result.refused, result.sqlstate)
  const { bodies, objects } = result.rows[0] as unknown as { bodies: { query: string }; objects: UsedObject[] }
  const faults = objects.flatMap((object) => objectFault(object) ?? [])
  if (faults.length > 0) throw new QueryRefusedError(`it ${faults.join('; it ')}`, null)
  return statementOf(bodies.query)
}

function requireOneSelect(query: string): void {
  try {
    parseQuery(query)
  } catch (error) {
    if (error instanceof InvalidSqlError) throw new QueryRefusedError(`it ${error.message}`, null)
    throw error
  }
}

/** A query of the rollout file whose names are resolved at its first use. */
export interface ResolvedQuery {
  /** @throws QueryRefusedError */
  text(): Promise<string>
  /** Resolves the names again at the next use: the query has failed, so the schema may have changed. */
  forget(): void
}

/** `open` connects to the primary, since resolving creates a temporary function. */
export function createResolvedQuery(open: () => Sql, scope: QueryScope, query: string): ResolvedQuery {
  let resolved: string | null = null
  return {
    async text() {
      if (resolved !== null) return resolved
      const sql = open()
      try {
        return (resolved = await resolveQuery(sql, scope, query))
      } finally {
        await sql.end({ timeout: 0 })
      }
    },
    forget() {
      resolved = null
    },
  }
}
