import { columnOf, type RowSource } from '../../rollout/expression.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveTable, archiveLayout, keysMatch, rowsDiffer, type ArchiveLayout } from '../archive/archiveSql.ts'
import { type LegacyColumn, collateClause, columnType } from '../catalog/legacyCatalog.ts'
import { valueSequence, setSequenceToMaximum } from './recreateObjects.ts'
import { doBlock } from './migrationScript.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Set by the first block if the columns already existed, so that nothing overwrites them. */
export const COLUMNS_EXISTED_SETTING = 'sti.columns_were_there'

/**
 * Fills the added columns. An archived row gets its old values; if new code has changed its type, `restore` of the
 * new type overrides them. A row added after the drop gets `restore` of its type, and the column's default for
 * columns that `restore` does not name.
 */
export function restoreValues(source: MigrationSource): string {
  const { rollout, table } = source
  const archive = archiveTable(rollout, table).sql
  const layout = archiveLayout(rollout, table)
  const guard = `if current_setting('${COLUMNS_EXISTED_SETTING}', true) = 'yes' then raise notice 'the legacy columns already exist: no row is written'; return; end if;`
  const body = usesTableRewrite(source)
    ? rewriteStatements(source, archive, layout)
    : updateStatements(source, archive, layout)
  return doBlock([guard, ...body], ['written bigint'])
}

/**
 * True if the undo can rewrite the table: constants need no other column. Subscribers receive an UPDATE but not a rewrite,
 * PostgreSQL refuses to rewrite a table whose rows another column holds, and Citus one in shards.
 */
export function usesTableRewrite({
  rollout,
  table,
  catalog,
}: Pick<MigrationSource, 'rollout' | 'table' | 'catalog'>): boolean {
  const { columns } = catalog.relations[0]!
  const restored = (name: string): boolean =>
    rollout.types.every((type) => rollout.restoreValues(type)?.get(name)?.kind === 'constant')
  if (table.citus !== null || catalog.published || catalog.rowTypeUses.length > 0) return false
  return columns.every(({ name, sequence }) => sequence === null && restored(name))
}

/**
 * If `restore` names every column, the table is rewritten once with those values. This takes a fraction of the time
 * of an UPDATE and leaves no dead rows. Only the rows that had other values are then updated.
 */
function rewriteStatements({ rollout, catalog }: MigrationSource, archive: string, layout: ArchiveLayout): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const types = columns.map(
    (column) =>
      `  alter column ${column.sql} type ${columnType(column)}${collateClause(column)} using case ${restoreBranches(rollout, column, '', 'none').join(' ')} else ${defaultExpression(column)} end`,
  )
  return [
    `alter table ${name}`,
    `${types.join(',\n')};`,
    `if to_regclass(${quoteLiteral(archive)}) is null then return; end if;`,
    `update ${name} as t set ${columns.map(({ sql }) => `${sql} = k.${sql}`).join(', ')}`,
    `from ${archive} as k where ${keysMatch(layout, 'k', 't')} and t.${type} is not distinct from k.${type} and ${rowsDiffer(columns, 't', 'k')};`,
    'get diagnostics written = row_count;',
    `raise notice 'set every row to the values of restore for its type, except % rows that had other values', written;`,
  ]
}

function updateStatements({ rollout, catalog }: MigrationSource, archive: string, layout: ArchiveLayout): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const assignments = (value: (column: LegacyColumn) => string): string =>
    columns.map((column) => `  ${column.sql} = ${value(column)}`).join(',\n')
  const legacyColumnOf = (name: string): LegacyColumn | undefined => columns.find((column) => column.name === name)
  const archivedRow = (name: string): string => columnOf(legacyColumnOf(name) === undefined ? 't' : 'k', name)
  const newRow = (name: string): string => {
    const column = legacyColumnOf(name)
    return column === undefined ? columnOf('t', name) : defaultExpression(column)
  }
  const fromArchive = assignments((column) => {
    const branches = restoreBranches(rollout, column, 't.', archivedRow)
    return branches.length === 0
      ? `k.${column.sql}`
      : `case when t.${type} is not distinct from k.${type} then k.${column.sql} ${branches.join(' ')} else k.${column.sql} end`
  })
  const fromType = assignments((column) => {
    const branches = restoreBranches(rollout, column, 't.', newRow)
    return branches.length === 0
      ? defaultExpression(column)
      : `case ${branches.join(' ')} else ${defaultExpression(column)} end`
  })
  return [
    `if to_regclass(${quoteLiteral(archive)}) is null then`,
    `  update ${name} as t set`,
    `${fromType};`,
    '  return;',
    'end if;',
    `update ${name} as t set`,
    fromArchive,
    `from ${archive} as k where ${keysMatch(layout, 'k', 't')};`,
    'get diagnostics written = row_count;',
    `raise notice 'restored % rows from the archive', written;`,
    ...columns.flatMap((column) => {
      const sequence = valueSequence(column)
      return sequence === null ? [] : [`${setSequenceToMaximum(name, column, sequence, 'perform')};`]
    }),
    `update ${name} as t set`,
    fromType,
    `where not exists (select from ${archive} as k where ${keysMatch(layout, 'k', 't')});`,
    'get diagnostics written = row_count;',
    `raise notice 'set % newer rows to the values of restore for their type', written;`,
  ]
}

/** Fails where the undo would: Citus refuses a default that is computed for each row, such as that of a serial column. */
export const explainDefaultSql = (table: string, column: LegacyColumn): string =>
  `explain (costs off) update ${table} as t set ${column.sql} = ${defaultExpression(column)}`

/** The value for a row that no `restore` covers. */
function defaultExpression(column: LegacyColumn): string {
  const defaultValue = column.identity === null ? column.default : `nextval(${quoteLiteral(valueSequence(column)!)})`
  return defaultValue === null ? `null::${columnType(column)}` : `cast(${defaultValue} as ${columnType(column)})`
}

/** `row` is what a row holds before it is restored. */
function restoreBranches(rollout: Rollout, column: LegacyColumn, alias: string, row: RowSource): string[] {
  const { sql, dataType } = rollout.discriminator
  return rollout.types.flatMap((type) => {
    const value = rollout.restoreValues(type)?.get(column.name)
    if (value === undefined) return []
    return [
      `when ${alias}${sql} = ${quoteLiteral(type)}::${dataType} then cast(${value.sql(row)} as ${columnType(column)})`,
    ]
  })
}
