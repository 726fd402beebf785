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

/** What `tgenabled` of the triggers is (see archiveTriggersDdl). */
export const enabledArchiveTrigger = ({ citus }: Pick<Table, 'citus'>): 'A' | 'O' => (citus === null ? 'A' : 'O')

/**
 * The archive table of a rollout. In a schema of schema-based sharding, Citus keeps only tables of that schema on its node.
 */
export function archiveTable(
  { name: rollout, table }: Pick<Rollout, 'name' | 'table'>,
  { citus }: Pick<Table, 'citus'>,
): QualifiedName {
  if (citus?.type === 'schema') {
    const name = boundedName('sti_columns', rollout)
    return { schema: table.schema, name, sql: `${quoteIdentifier(table.schema)}.${quoteIdentifier(name)}` }
  }
  const name = boundedName('columns', rollout)
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
  return rowsDiffer(legacy, alias, other)
}

/** True if these columns of two rows differ byte by byte. A function, since PostgreSQL cannot read the operator that it prints. */
export function rowsDiffer(columns: readonly { readonly sql: string }[], alias: string, other: string): string {
  const row = (name: string): string => `row(${columns.map((column) => `${name}.${column.sql}`).join(', ')})`
  return `pg_catalog.record_image_ne(${row(alias)}, ${row(other)})`
}

/** The clause of an INSERT into the archive `a` that replaces other values of the same row. */
export function overwriteArchived(layout: ArchiveLayout): string {
  const set = layout.legacy.map((column) => `${column.sql} = excluded.${column.sql}`).join(', ')
  const key = layout.key.map((column) => column.sql).join(', ')
  return `on conflict (${key}) do update set ${set} where ${valuesDiffer(layout, 'a', 'excluded')}`
}
