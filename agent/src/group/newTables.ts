import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import { childName } from '../rollout/rolloutGroup.ts'

/**
 * The schemas of those tables that no operation of the group has looked at: of tenants that were created since. Empty before
 * the first operation.
 */
export async function findNewSchemas(sql: Sql, group: string, tables: readonly QualifiedName[]): Promise<string[]> {
  const rows = await sql<{ rollout: string }[]>`select rollout from sti.child where group_name = ${group}`
  const known = new Set(rows.map(({ rollout }) => rollout))
  return known.size === 0
    ? []
    : tables.filter((table) => !known.has(childName(group, table))).map(({ schema }) => schema)
}
