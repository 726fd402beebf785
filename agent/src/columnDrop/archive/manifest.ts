import type { ColumnArchive } from '../../contract/index.ts'
import type { Sql } from '../../database/connect.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { archiveTable, archiveLayout } from './archiveSql.ts'

/** The record of a rollout's archive. */
export type ArchiveManifest = ColumnArchive

export type ArchivedColumn = ColumnArchive['columns'][number]

export type ArchiveExport = NonNullable<ColumnArchive['exported']>

interface ArchiveManifestRow {
  readonly operation_id: bigint
  readonly file_hash: string
  readonly relation: string
  readonly there: boolean
  readonly columns: ArchivedColumn[]
  readonly created_at: Date
  readonly completed_at: Date | null
  readonly verified_at: Date | null
  readonly verified_rows: bigint | null
  readonly differing_rows: bigint | null
  readonly checksum: string | null
  readonly exported: ArchiveExport | null
  readonly dropped_at: Date | null
  readonly restored_at: Date | null
}

/** Null if there is no archive, or it was removed. */
export async function readManifest(sql: Sql, rollout: Pick<Rollout, 'name'>): Promise<ArchiveManifest | null> {
  const [row] = await sql<ArchiveManifestRow[]>`
    select *, to_regclass(relation) is not null as there from sti.column_archive where rollout = ${rollout.name}`
  if (row === undefined) return null
  return {
    operationId: Number(row.operation_id),
    fileHash: row.file_hash,
    relation: row.relation,
    there: row.there,
    columns: row.columns,
    madeAt: row.created_at.toISOString(),
    completedAt: row.completed_at?.toISOString() ?? null,
    verified:
      row.verified_at === null
        ? null
        : {
            at: row.verified_at.toISOString(),
            rows: Number(row.verified_rows),
            differing: Number(row.differing_rows),
            checksum: row.checksum ?? '0',
          },
    exported: row.exported,
    droppedAt: row.dropped_at?.toISOString() ?? null,
    restoredAt: row.restored_at?.toISOString() ?? null,
  }
}

export function archivedColumns(rollout: Rollout, table: Table): ArchivedColumn[] {
  const { key, legacy } = archiveLayout(rollout, table)
  return [
    ...key.map(({ name, type }) => ({ name, type, key: true })),
    ...legacy.map(({ name, type }) => ({ name, type, key: false })),
  ]
}

/** The statement that records a new archive, in the transaction that creates it. */
export function insertManifestSql(rollout: Rollout, table: Table, operationId: bigint): string {
  const columns = quoteLiteral(JSON.stringify(archivedColumns(rollout, table)))
  const values = [quoteLiteral(rollout.name), String(operationId), quoteLiteral(rollout.hash)]
  return `insert into sti.column_archive as a (rollout, operation_id, file_hash, relation, columns)
    values (${values.join(', ')}, ${quoteLiteral(archiveTable(rollout, table).sql)}, ${columns}::jsonb)
    on conflict (rollout) do update set operation_id = excluded.operation_id, file_hash = excluded.file_hash,
      relation = excluded.relation, columns = excluded.columns, created_at = clock_timestamp(), completed_at = null,
      verified_at = null, verified_rows = null, differing_rows = null, checksum = null, exported = null,
      dropped_at = null, restored_at = null`
}
