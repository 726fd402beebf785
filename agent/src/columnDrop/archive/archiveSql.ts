import { compareKeys, keyColumns } from '../../engine/keys.ts'
import { boundedName, quoteIdentifier } from '../../rollout/identifiers.ts'
import type { QualifiedName } from '../../rollout/identifiers.ts'
import type { Column, KeyColumn, Rollout, Table } from '../../rollout/rollout.ts'

/** The triggers for inserted and deleted rows, for changes of the key or a legacy column, and for TRUNCATE. */
export const ARCHIVE_TRIGGERS = {
  row: '~sti_archive',
  update: '~sti_archive_update',
  truncate: '~sti_archive_truncate',
}

/** The archive table of a rollout. */
export function archiveTable(rollout: Pick<Rollout, 'name'>): QualifiedName {
  const name = boundedName('columns', rollout.name)
  return { schema: 'sti', name, sql: `sti.${quoteIdentifier(name)}` }
}

/** The function of the archive triggers. */
export const archiveFunction = (rollout: Pick<Rollout, 'name'>): string =>
  `sti.${quoteIdentifier(boundedName('keep', rollout.name))}`

/** The columns that the archive keeps of each row. */
export interface ArchiveLayout {
  readonly key: readonly KeyColumn[]
  /** The legacy columns that the table has, and the discriminator, which shows if a row's type has changed since. */
  readonly legacy: readonly Column[]
}

export function archiveLayout(rollout: Rollout, table: Table): ArchiveLayout {
  const names = [...rollout.legacyColumns, rollout.discriminator.column]
  return { key: table.key, legacy: table.columns.filter(({ name, generated }) => names.includes(name) && !generated) }
}

/** All archived columns, separated by commas. */
export function columnList({ key, legacy }: ArchiveLayout, alias: string | null): string {
  const prefix = alias === null ? '' : `${alias}.`
  return [...key, ...legacy].map((column) => `${prefix}${column.sql}`).join(', ')
}

/** SQL: these two rows have the same key. */
export function keysMatch({ key }: ArchiveLayout, alias: string, other: string): string {
  return compareKeys(key, '=', keyColumns(key, alias), keyColumns(key, other))
}

/** True if the legacy columns of two rows differ byte by byte, which also works for types without equality (json). */
export function valuesDiffer({ legacy }: ArchiveLayout, alias: string, other: string): string {
  const row = (alias: string): string => `row(${legacy.map((column) => `${alias}.${column.sql}`).join(', ')})::record`
  return `${row(alias)} operator(pg_catalog.*<>) ${row(other)}`
}
