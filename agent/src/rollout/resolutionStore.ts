import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from './identifiers.ts'
import { resolutionSource } from './resolveNames.ts'
import type { NameResolution, Rollout, Table } from './rollout.ts'

/** What the names of this rollout file mean since its expand; null: no expand fixed it, or file or columns have changed. */
export async function readResolution(sql: Sql, rollout: Rollout, table: Table): Promise<NameResolution | null> {
  const [row] = await sql<{ resolution: NameResolution }[]>`
    select resolution from sti.name_resolution
    where rollout = ${rollout.name} and source_hash = ${resolutionSource(rollout, table)}`
  return row?.resolution ?? null
}

/** SQL that fixes what the names mean. */
export function fixResolutionSql({ name }: Pick<Rollout, 'name'>, resolution: NameResolution): string {
  const values = [name, resolution.source, JSON.stringify(resolution)].map(quoteLiteral)
  return `insert into sti.name_resolution (rollout, source_hash, resolution) values (${values.join(', ')})
      on conflict (rollout) do update set source_hash = excluded.source_hash, resolution = excluded.resolution,
        resolved_at = clock_timestamp()`
}

/** Sentences about the code outside pg_catalog that the expressions run. */
export function resolutionNotes({ resolution }: Rollout): string[] {
  return (resolution?.objects ?? []).map(
    ({ kind, identity, owner }) => `The rollout file uses ${kind} ${identity}, which belongs to role ${owner}.`,
  )
}
