import type { Database, Sql } from '../../database/connect.ts'
import { readRowTypeUses } from '../../rollout/rowTypeUses.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { readBlockingDependencies } from './blockingDependencies.ts'
import { readDigest } from './digest.ts'
import type { LegacyCatalog } from './legacyCatalog.ts'
import { readLegacyRelations } from './legacyRelations.ts'
import { readConstraints, readIndexes, isPublished, readReferencedTables, readStatistics } from './dependentObjects.ts'

/** Reads the catalog for the legacy columns that the table still has. Locks nothing but the catalog for reading. */
export async function readLegacyCatalog(database: Database, rollout: Rollout, table: Table): Promise<LegacyCatalog> {
  // With only pg_catalog on the search path, PostgreSQL qualifies every other name with its schema.
  const sql = database.engine({ purpose: 'column drop catalog', readOnly: true })
  try {
    return await readCatalogRows(sql, rollout, table)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** The same over a connection whose search path is pg_catalog alone. */
export async function readCatalogRows(sql: Sql, rollout: Rollout, table: Table): Promise<LegacyCatalog> {
  const columns = rollout.legacyColumns.filter((name) => table.columns.some((column) => column.name === name))
  const legacy = { oid: table.oid, columns, key: table.key.map((column) => column.name) }
  const [version] = await sql<{ number: number }[]>`select current_setting('server_version_num')::int as number`
  return {
    serverVersion: version!.number,
    relations: await readLegacyRelations(sql, legacy),
    indexes: await readIndexes(sql, legacy),
    constraints: await readConstraints(sql, legacy),
    statistics: await readStatistics(sql, legacy),
    blocking: await readBlockingDependencies(sql, legacy),
    alsoLocked: await readReferencedTables(sql, legacy),
    rowTypeUses: await readRowTypeUses(sql, table.oid),
    published: await isPublished(sql, legacy),
    digest: await readDigest(sql, rollout, legacy.columns),
  }
}
